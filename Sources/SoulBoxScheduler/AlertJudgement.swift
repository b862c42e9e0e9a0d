internal import SoulBoxModel
internal import SoulBoxStore

/// What is to be done about one subject of a rule: decided here, carried out elsewhere.
enum AlertJudgement: Equatable {
    case nothing
    /// The condition has held for the rule's time; with the value that is told.
    case trigger(Double)
    /// It has not held for a while.
    case resolve

    /// How often measurements are made, in microseconds.
    private static let period: Int64 = 5_000_000
    /// A newest measurement that is older says nothing of the present.
    private static let fresh: Int64 = 30_000_000
    /// A component that says nothing for so long is down.
    private static let silence: Int64 = 60_000_000
    /// What was resolved by hand is not raised again before the condition has held so long anew.
    private static let handPause: Int64 = 300_000_000

    /// Judges a reading.
    ///
    /// - Parameter mayJudgeSilence: Whether nobody has looked away for long enough to say that nothing was measured; after
    ///   a start, or an absence of the database, the measurements begin again no earlier than this.
    init(_ reading: AlertReading, mayJudgeSilence: Bool) {
        let span = reading.rule.forSeconds * 1_000_000
        let age = reading.now.microseconds - reading.newestAt.microseconds
        guard age <= AlertJudgement.fresh else {
            let isDown =
                mayJudgeSilence && reading.alert == nil && AlertMetric.component(of: reading.metric) != nil
                && age > max(AlertJudgement.silence, span) && reading.rule.comparison.holds(0, reading.rule.threshold)
                && !AlertJudgement.isPaused(reading, until: reading.now, span)
            self = isDown ? .trigger(0) : .nothing
            return
        }
        if reading.alert != nil {
            // Three measurements: one that falls out of line ends nothing.
            self = reading.hasEnded && reading.endCount >= 3 ? .resolve : .nothing
            return
        }
        // From the beginning of the rule's time on, and at least half of what should be there.
        let isCovered =
            reading.newestAt.microseconds - reading.firstAt.microseconds > span - AlertJudgement.period
            && reading.count * 2 * AlertJudgement.period >= span
        let isRaised =
            reading.holds && reading.count > 0 && isCovered
            && !AlertJudgement.isPaused(reading, until: reading.newestAt, span)
        self = isRaised ? .trigger(reading.value) : .nothing
    }

    private static func isPaused(_ reading: AlertReading, until moment: Timestamp, _ span: Int64) -> Bool {
        guard let resolved = reading.handResolvedAt else { return false }
        return moment.microseconds - resolved.microseconds < max(handPause, span)
    }
}
