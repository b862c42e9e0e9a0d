extension ImageManifest {
    /// How a program of the image is started ahead of the request that it will serve.
    ///
    /// It finds `SOULBOX_PRESTART` in its environment, says on descriptor 5 that it waits, and reads its arguments and its
    /// environment from descriptor 4.
    public struct Prestart: Sendable, Equatable {
        /// Options that follow the program's name, for what makes it wait.
        public let options: [String]
        /// The names of variables that it reads at its start, `*` at the end of one standing for any rest: a request with
        /// one of them gets a program of its own.
        public let except: [String]
        /// Whether one that has started can be forked: it finds `SOULBOX_ZYGOTE` in its environment then, and calls `serve`
        /// of the module in `/usr/lib/soulbox/zygote.so`, which returns in the process of each program.
        public let isForked: Bool

        /// Describes such a start.
        public init(options: [String], except: [String], isForked: Bool = false) {
            self.options = options
            self.except = except
            self.isForked = isForked
        }

        init?(json: JSONValue) {
            guard let options = json["options"]?.arrayValue, let except = json["except"]?.arrayValue else { return nil }
            self.init(
                options: options.compactMap(\.stringValue), except: except.compactMap(\.stringValue),
                isForked: json["fork"]?.boolValue ?? false)
        }

        /// Whether a program with these variables may be one that was started without them.
        public func allows(_ variables: [ExecutionSpec.Variable]) -> Bool {
            !variables.contains { variable in
                except.contains { pattern in
                    pattern.hasSuffix("*") ? variable.name.hasPrefix(pattern.dropLast()) : variable.name == pattern
                }
            }
        }
    }
}
