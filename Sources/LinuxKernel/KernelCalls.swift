internal import CLinux

/// The system calls without which no sandbox can be made.
public enum KernelCalls {
    /// Those that the kernel does not know, or that a filter in front of it denies with ENOSYS.
    public static var missing: [String] {
        var names: [String] = []
        var index: UInt32 = 0
        var isMissing: CInt = 0
        while let name = soulbox_needed_call(index, &isMissing) {
            if isMissing != 0 { names.append(String(cString: name)) }
            index += 1
        }
        return names
    }
}
