internal import SoulBoxModel
internal import SoulBoxStore

extension QueryReader {
    /// The most days that a report is about.
    static let longestPeriod: Int64 = 400
    private static let usualPeriod: Int64 = 30
    /// 9999-12-31, the last day that can be written as one.
    private static let lastMoment: Int64 = 253_402_214_400_000_000

    /// The half-open interval from `from` to `to`: dates, or times in whole steps.
    ///
    /// Without `to` it ends with the present day, without `from` it begins 30 days before its end. All days are in UTC.
    mutating func period(step: Int64, called name: String, _ validation: inout Validation) -> ReportPeriod? {
        let given = (
            from: boundary("from", step: step, called: name, &validation),
            to: boundary("to", step: step, called: name, &validation)
        )
        guard !validation.hasFailed("from"), !validation.hasFailed("to") else { return nil }
        let now = Timestamp.now.microseconds
        let to = given.to ?? now - now % ReportPeriod.day + ReportPeriod.day
        let from = given.from ?? to - QueryReader.usualPeriod * ReportPeriod.day
        guard from >= 0 else {
            validation.fail("from", "Must not be before 1970")
            return nil
        }
        guard to <= QueryReader.lastMoment else {
            validation.fail("to", "Must not be after 9999-12-31")
            return nil
        }
        guard to > from else {
            validation.fail("to", "Must be after from")
            return nil
        }
        guard to - from <= QueryReader.longestPeriod * ReportPeriod.day else {
            validation.fail("from", "Must not be more than \(QueryReader.longestPeriod) days before to")
            return nil
        }
        return ReportPeriod(from: Timestamp(microseconds: from), to: Timestamp(microseconds: to))
    }

    private mutating func boundary(
        _ field: String, step: Int64, called name: String, _ validation: inout Validation
    ) -> Int64? {
        guard let text = text(field) else { return nil }
        guard let time = Timestamp(rfc3339: text.utf8.count == 10 ? text + "T00:00:00Z" : text) else {
            validation.fail(field, "Must be a date as 2027-01-31 or a time as 2027-01-31T12:00:00Z")
            return nil
        }
        guard time.microseconds % step == 0 else {
            validation.fail(field, "Must be the beginning of \(name) in UTC")
            return nil
        }
        return time.microseconds
    }
}
