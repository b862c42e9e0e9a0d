/// Where things of a user's template are, in its sandboxes.
public enum TemplateLayout {
    /// Where packages are installed: no part of the workspace, and writable for programs. `bin` in it is in the `PATH`.
    public static let packages = "/opt/template"
}
