internal import SoulBoxStore

/// What a request is for, by its path.
enum Endpoint: Equatable {
    /// `/ws/execute`
    case execute
    /// `/ws/monitor`
    case monitor
    /// `/ws/sandboxes/{id}/terminal`
    case terminal(sandbox: String)
    /// `GET /api/execute/{id}/events`
    case events(execution: String)
    /// `GET /api/sandboxes/{id}/processes/{pid}/logs?follow=true`
    case logs(sandbox: String, process: String)
    /// Whether the process answers; for the machine itself.
    case health

    /// Nil when nothing is there.
    init?(path: String) {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        switch segments.count {
        case 2 where segments == ["ws", "execute"]: self = .execute
        case 2 where segments == ["ws", "monitor"]: self = .monitor
        case 2 where segments == ["ws", "health"]: self = .health
        case 4 where segments[0] == "ws" && segments[1] == "sandboxes" && segments[3] == "terminal":
            self = .terminal(sandbox: segments[2])
        case 4 where segments[0] == "api" && segments[1] == "execute" && segments[3] == "events":
            self = .events(execution: segments[2])
        case 6 where segments[1] == "sandboxes" && segments[3] == "processes" && segments[5] == "logs":
            self = .logs(sandbox: segments[2], process: segments[4])
        default: return nil
        }
    }

    /// Whether it speaks WebSocket.
    var isWebSocket: Bool {
        switch self {
        case .execute, .monitor, .terminal: true
        case .events, .logs, .health: false
        }
    }

    /// What a caller needs.
    var permission: Permission {
        switch self {
        case .execute, .terminal, .events: .execute
        case .monitor: .monitorRead
        case .logs, .health: .sandboxRead
        }
    }
}
