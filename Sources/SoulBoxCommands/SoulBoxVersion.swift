/// The version of this build.
enum SoulBoxVersion {
    static let text = "0.1.0"
}
