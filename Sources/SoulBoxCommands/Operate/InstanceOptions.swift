import ArgumentParser

/// Which installation a command is for.
struct InstanceOptions: ParsableArguments {
    @Option(name: .long, help: "The home directory of the installation (default: $SOULBOX_HOME, or .soulbox here).")
    var home: String?

    var instance: Instance { Instance(home: home) }
}
