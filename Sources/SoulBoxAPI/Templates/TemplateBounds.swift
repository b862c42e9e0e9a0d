/// The bounds of a template that a user makes.
struct TemplateBounds: Sendable, Equatable {
    /// Characters of a name.
    let name = 64
    /// Bytes of a description.
    let description = 1000
    /// How many packages.
    let packages = 50
    /// How many environment variables.
    let variables = 100
    /// Bytes of one variable.
    let variableBytes = 8 << 10
    /// Bytes of all variables together: they travel with every look at the template's image.
    let environmentBytes = 32 << 10
    /// Bytes of all files together: they are kept with every version.
    let fileBytes = 1 << 20
    /// How many commands.
    let commands = 50
    /// Bytes of one command.
    let commandBytes = 4 << 10
    /// Bytes of a body.
    let body = 4 << 20
}
