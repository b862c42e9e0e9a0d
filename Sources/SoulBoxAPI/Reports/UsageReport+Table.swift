internal import SoulBoxModel
internal import SoulBoxStore

extension UsageReport.Row {
    /// What the row stands for, then what was used.
    func cells(_ grouping: UsageGrouping) -> [(name: String, cell: ReportCell)] {
        func subject(_ kind: Identifier.Kind, _ word: String) -> [(String, ReportCell)] {
            [("\(word)_id", .text(id.map { Identifier.text(kind, uuid: $0) })), ("\(word)_name", .text(name))]
        }
        let head: [(String, ReportCell)] =
            switch grouping {
            case .day, .language, .status: [(grouping.rawValue, .text(text))]
            // What ended before anything was known of it has no reason.
            case .reason: [(grouping.rawValue, .text(text.flatMap { $0.isEmpty ? nil : $0 }))]
            case .key: subject(.key, "key")
            case .sandbox: subject(.sandbox, "sandbox")
            case .account: subject(.account, "account")
            }
        return head + sums.cells
    }
}

extension UsageSums {
    /// The sums by their names.
    var cells: [(name: String, cell: ReportCell)] {
        [
            ("executions", .integer(executions)), ("completed", .integer(completed)), ("failed", .integer(failed)),
            ("timeout", .integer(timeout)), ("cancelled", .integer(cancelled)),
            ("cpu_seconds", .decimal(cpuMicroseconds, places: 6)),
            ("execution_seconds", .decimal(wallMicroseconds, places: 6)),
            ("queue_seconds", .decimal(queueMicroseconds, places: 6)),
            ("memory_peak_bytes", .integer(memoryPeakBytes)),
            ("memory_mib_seconds", .decimal(memoryMebibyteMilliseconds, places: 3)),
            ("output_bytes", .integer(outputBytes)),
        ]
    }
}

extension UsageReport {
    /// The same with a row for each of these days, in their order.
    func filled(_ days: [String]) -> UsageReport {
        let known = Dictionary(rows.map { ($0.text ?? "", $0) }) { first, _ in first }
        var filled = self
        filled.rows = days.map { known[$0] ?? Row(text: $0) }
        filled.groups = Int64(days.count)
        return filled
    }

    /// The report in JSON.
    func json(_ period: ReportPeriod, _ grouping: UsageGrouping) -> JSONValue {
        func object(_ cells: [(name: String, cell: ReportCell)]) -> JSONValue {
            .object(JSONObject(cells.map { ($0.name, $0.cell.json) }))
        }
        return [
            "from": .string(period.from.rfc3339), "to": .string(period.to.rfc3339),
            "group_by": .string(grouping.rawValue), "rows": .array(rows.map { object($0.cells(grouping)) }),
            "groups": .integer(groups), "totals": object(totals.cells),
        ]
    }

    /// The rows in CSV; without the totals, which would be counted twice by whoever adds the rows up.
    func csv(_ grouping: UsageGrouping) -> [UInt8] {
        var writer = CSVWriter()
        writer.line(Row().cells(grouping).map { .text($0.name) })
        for row in rows { writer.line(row.cells(grouping).map(\.cell.csv)) }
        return writer.bytes
    }
}
