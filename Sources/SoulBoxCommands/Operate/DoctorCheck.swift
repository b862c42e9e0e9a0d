import Foundation
import Glibc
import LinuxKernel

/// One thing that SoulBox needs of its machine.
struct DoctorCheck {
    /// What was found.
    struct Outcome {
        var detail = ""
        /// What its absence means and what to do; nil when it is there.
        var problem: String?
    }

    let name: String
    let look: () -> Outcome

    static func all(_ instance: Instance) -> [DoctorCheck] { kernel + tools + [images(instance)] }

    private static var kernel: [DoctorCheck] {
        [
            DoctorCheck(name: "root") {
                Outcome(problem: geteuid() == 0 ? nil : "sandboxes are made from namespaces and cgroups: run as root")
            },
            DoctorCheck(name: "cgroups") {
                do {
                    return Outcome(detail: try CgroupHost.probe().description)
                } catch {
                    return Outcome(problem: "\(error); no limit could be enforced, so the isolator refuses to start")
                }
            },
            file(
                "cgroup.kill, Linux 5.14", any: CgroupHost.killFiles,
                problem: "a sandbox could not be killed whole; the isolator needs Linux 5.14"),
            number(
                "user namespaces", "/proc/sys/user/max_user_namespaces",
                problem: "no sandbox can be made: sysctl user.max_user_namespaces=100000"),
            number("network namespaces", "/proc/sys/user/max_net_namespaces", problem: "no sandbox can be made"),
            text(
                "overlayfs", "/proc/filesystems", holds: "overlay",
                problem: "the root of a sandbox cannot be put together: modprobe overlay"),
            text(
                "seccomp", "/proc/sys/kernel/seccomp/actions_avail", holds: "kill_process",
                problem: "system calls cannot be filtered; the isolator refuses to start"),
            DoctorCheck(name: "idmapped mounts, Linux 5.12 (overlay layers: 5.19)") {
                let release = (try? Files.readString("/proc/sys/kernel/osrelease")) ?? ""
                let parts = release.split(whereSeparator: { $0 == "." || $0 == "-" }).prefix(2).compactMap { Int($0) }
                let isEnough = parts.count == 2 && (parts[0], parts[1]) >= (5, 19)
                return Outcome(
                    detail: release.trimmingCharacters(in: .whitespacesAndNewlines),
                    problem: isEnough ? nil : "images cannot be shown with the sandbox's owners: Linux 5.19 or newer")
            },
        ]
    }

    private static var tools: [DoctorCheck] {
        [
            ("/usr/sbin/nginx", "nginx", "no HTTP"), ("/usr/bin/psql", "postgresql-client", "no private database"),
            ("/usr/bin/mmdebstrap", "mmdebstrap", "images cannot be built"), ("/usr/bin/curl", "curl", "no demo"),
            ("/usr/bin/openssl", "openssl", "no certificate can be made"),
        ].map { path, package, meaning in
            DoctorCheck(name: package) {
                Outcome(problem: Files.exists(path) ? nil : "\(meaning): apt-get install \(package)")
            }
        } + [
            DoctorCheck(name: "PostgreSQL server") {
                do {
                    return Outcome(detail: try PrivateCluster.programs())
                } catch {
                    return Outcome(problem: "no private database: apt-get install postgresql, or set DATABASE_URL")
                }
            }
        ]
    }

    private static func images(_ instance: Instance) -> DoctorCheck {
        DoctorCheck(name: "images") {
            let names = ((try? Files.list(instance.images + "/current")) ?? []).sorted()
            return Outcome(
                detail: names.joined(separator: ", "),
                problem: names.isEmpty ? "nothing can run: soulbox image build all" : nil)
        }
    }

    private static func number(_ name: String, _ path: String, problem: String) -> DoctorCheck {
        DoctorCheck(name: name) { Outcome(problem: (try? Files.requirePositive(path)) == nil ? problem : nil) }
    }

    private static func text(_ name: String, _ path: String, holds word: String, problem: String) -> DoctorCheck {
        DoctorCheck(name: name) {
            Outcome(problem: ((try? Files.readString(path)) ?? "").contains(word) ? nil : problem)
        }
    }

    private static func file(_ name: String, any paths: [String], problem: String) -> DoctorCheck {
        DoctorCheck(name: name) { Outcome(problem: paths.contains(where: Files.exists) ? nil : problem) }
    }
}
