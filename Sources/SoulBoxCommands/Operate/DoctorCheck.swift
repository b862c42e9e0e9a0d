import Foundation
import Glibc
import IsolationProtocol
import LinuxKernel

/// One thing that SoulBox needs of its machine.
struct DoctorCheck {
    /// What was found.
    struct Outcome {
        var detail = ""
        /// What its absence means and what to do; nil when it is there.
        var problem: String?
        /// What would make the machine harder to attack; nil when it is so.
        var advice: String?
    }

    let name: String
    let look: () -> Outcome

    static func all(_ instance: Instance) -> [DoctorCheck] {
        kernel + tools + [images(instance), memorySnapshots(instance)] + hardening
    }

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
            file(
                "loop devices", any: ["/dev/loop-control"],
                problem: "persistent sandboxes have no disks, and the isolator refuses to start: modprobe loop"),
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
            ("/usr/bin/mmdebstrap", "mmdebstrap", "images cannot be built"),
            ("/sbin/mke2fs", "e2fsprogs", "persistent sandboxes have no disks"),
            ("/usr/bin/curl", "curl", "no demo, no webhooks of alerts"),
            ("/usr/bin/openssl", "openssl", "no certificate can be made"),
            ("/usr/sbin/nft", "nftables", "sandboxes have no network"),
        ].map { path, package, meaning in
            DoctorCheck(name: package) {
                Outcome(problem: Files.exists(path) ? nil : "\(meaning): apt-get install \(package)")
            }
        } + [
            DoctorCheck(name: "skopeo, umoci") {
                let isThere = ["/usr/bin/skopeo", "/usr/bin/umoci"].allSatisfy(Files.exists)
                return Outcome(
                    advice: isThere ? nil : "container images cannot be imported: apt-get install skopeo umoci")
            },
            DoctorCheck(name: "PostgreSQL server") {
                do {
                    return Outcome(detail: try PrivateCluster.programs())
                } catch {
                    return Outcome(problem: "no private database: apt-get install postgresql, or set DATABASE_URL")
                }
            },
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

    /// The running service knows best, since it has tried; without one the tools can only be looked for.
    private static func memorySnapshots(_ instance: Instance) -> DoctorCheck {
        DoctorCheck(name: "memory snapshots") {
            let missing =
                if let status = try? IsolationConnection(path: instance.run + "/isolator.sock").status() {
                    status.memorySnapshotsMissing
                } else {
                    Files.exists(instance.images + "/tools/current/rootfs/usr/sbin/criu")
                        ? nil : "the tools image is not built (soulbox image build tools)"
                }
            return Outcome(advice: missing.map { "processes cannot be held in snapshots, nor sandboxes paused: \($0)" })
        }
    }

    /// Settings of the host that a sandbox does not need to be safe, but that stand behind it when something else fails
    /// (documented in sysctl's own files below Documentation/admin-guide/sysctl of the kernel).
    private static var hardening: [DoctorCheck] {
        [
            setting("kernel.io_uring_disabled", atLeast: 2), setting("kernel.unprivileged_bpf_disabled", atLeast: 1),
            setting("kernel.kptr_restrict", atLeast: 1), setting("kernel.dmesg_restrict", atLeast: 1),
            setting("fs.protected_symlinks", atLeast: 1), setting("fs.protected_hardlinks", atLeast: 1),
            setting("fs.protected_fifos", atLeast: 1), setting("fs.protected_regular", atLeast: 1),
            setting("vm.unprivileged_userfaultfd", atMost: 0),
            DoctorCheck(name: "kernel.core_pattern") {
                let pattern = (try? Files.readString("/proc/sys/kernel/core_pattern")) ?? ""
                return Outcome(
                    advice: pattern.hasPrefix("|")
                        ? "a helper of the host's would read crashed programs: sysctl kernel.core_pattern=core" : nil)
            },
            DoctorCheck(name: "memory is not merged across sandboxes") {
                let run = (try? Files.readString("/sys/kernel/mm/ksm/run"))?.trimmingCharacters(
                    in: .whitespacesAndNewlines)
                return Outcome(
                    advice: (run ?? "0") == "0"
                        ? nil : "its timing tells of a neighbour's memory: echo 2 > /sys/kernel/mm/ksm/run")
            },
        ]
    }

    /// A sysctl; one that this kernel does not have needs no value.
    private static func setting(_ name: String, atLeast low: Int = .min, atMost high: Int = .max) -> DoctorCheck {
        DoctorCheck(name: name) {
            let path = "/proc/sys/" + name.replacingOccurrences(of: ".", with: "/")
            guard
                let value = (try? Files.readString(path)).flatMap({
                    Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
                })
            else { return Outcome(detail: "not in this kernel") }
            let wanted = low == .min ? high : low
            return Outcome(
                detail: String(value),
                advice: (low...high).contains(value) ? nil : "a wall less behind the sandbox: sysctl \(name)=\(wanted)")
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
