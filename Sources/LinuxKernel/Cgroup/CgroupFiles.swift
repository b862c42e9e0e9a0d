internal import Glibc

/// What both versions of cgroups do with files and directories.
enum CgroupFiles {
    static func write(_ path: String, _ text: String) throws(SystemCallError) {
        try Files.write(path, Array(text.utf8))
    }

    /// The number in a file, or after a key in a file of `key number` lines; 0 where there is none.
    static func number(_ path: String, key: StaticString? = nil) throws(SystemCallError) -> UInt64 {
        let text = try Files.readShort(path)
        guard let key else { return text.number }
        for line in text.lines where line.begins(with: key) {
            let value = line.dropping(key.utf8CodeUnitCount)
            // Not of a longer name.
            if value.begins(with: " ") { return value.dropping(1).number }
        }
        return 0
    }

    /// How much more; two files that are read one after the other may not fit together.
    static func difference(_ whole: UInt64, _ part: UInt64) -> UInt64 { whole > part ? whole - part : 0 }

    /// Sets how much processor time there is in each period, and that as much may be saved up: a compiler that runs on two
    /// processors for a moment is not stopped until the next period when it has left earlier ones unused. What is used over
    /// a longer time stays within the quota. (Documentation/scheduler/sched-bwc.rst, "burst", since Linux 5.14)
    static func setBandwidth(
        quota: (path: String, text: String), burst: (path: String, text: String)
    ) throws(SystemCallError) {
        do throws(SystemCallError) {
            try write(quota.path, quota.text)
        } catch {
            // No quota may be smaller than what may be saved up.
            guard error.errno == EINVAL, Files.exists(burst.path) else { throw error }
            try write(burst.path, "0")
            try write(quota.path, quota.text)
        }
        do throws(SystemCallError) {
            try write(burst.path, burst.text)
        } catch  where error.errno == ENOENT {}
    }

    static func makeNew(_ path: String) throws(SystemCallError) {
        try check("mkdir") { mkdir(path, 0o755) }
    }

    /// The processes in a group (cgroup.procs); one may be told twice.
    static func processes(_ directory: String) throws(SystemCallError) -> [Int32] {
        let text = try Files.readString(directory + "/cgroup.procs", maximum: 16 << 20)
        return Array(Set(text.split(separator: "\n").compactMap { Int32($0) })).sorted()
    }

    /// Kills everything below a directory of a cgroup2 mount.
    static func kill(_ directory: String) throws(SystemCallError) {
        do {
            try write(directory + "/cgroup.kill", "1")
        } catch  where error.errno == ENOENT {}
    }

    /// Waits for `populated 0` in cgroup.events; a change of the file wakes the poll.
    static func waitUntilEmpty(_ directory: String, deadline: UInt64) -> Bool {
        guard let events = try? Files.open(directory + "/cgroup.events", .readOnly) else { return true }
        while true {
            guard let text = try? Files.readShort(from: events.rawValue) else { return true }
            if text.line(after: "populated ")?.number == 0 { return true }
            let now = MonotonicClock.now
            guard now < deadline else { return false }
            var entries = [PollEntry(descriptor: events.rawValue, events: .priority)]
            _ = try? Poll.wait(&entries, timeout: CInt(min((deadline - now) / 1_000_000 + 1, 100)))
        }
    }

    /// Removes a group's directory. A process that has just been killed may hold it for a moment longer.
    static func remove(_ directory: String) throws(SystemCallError) {
        var pause: UInt32 = 500
        while true {
            do {
                try check("rmdir") { rmdir(directory) }
                return
            } catch {
                if error.errno == ENOENT { return }
                guard error.errno == EBUSY, pause < 300_000 else { throw error }
            }
            usleep(pause)
            pause *= 2
        }
    }

    /// The names of the groups directly below a directory.
    static func children(_ directory: String) -> [String] {
        (try? Files.list(directory, directoriesAlone: true)) ?? []
    }

    static func removeTree(_ directory: String) throws(SystemCallError) {
        for name in children(directory) { try remove("\(directory)/\(name)") }
        try remove(directory)
    }
}
