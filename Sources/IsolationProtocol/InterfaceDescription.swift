/// The interface `io.soulbox.isolation` as `io.soulbox.isolation.varlink` beside this file says it.
///
/// A test holds the two against each other.
public enum InterfaceDescription {
    /// The text of the interface file.
    public static let text = """
        # The isolation service of SoulBox: makes sandboxes and runs programs in them.
        #
        # Descriptors travel beside a message as SCM_RIGHTS; a field of type int whose comment says "descriptor" holds the index
        # of one among those sent with its message. A message with descriptors starts a sendmsg(2) of its own. At most 16.
        # Every call carries the account, and the service refuses what belongs to another.
        interface io.soulbox.isolation

        type Variable (name: string, value: string)

        type Limits (timeout_ms: int, memory: int, cpu_millicores: int, processes: int)

        # How many sandboxes stand ready of one kind; persistent ones or such for one execution.
        type ReadyCount (template: string, runtime: string, persistent: bool, ready: int)

        # Bytes of the file `input`, to stand at `path` below /workspace.
        type File (path: string, offset: int, size: int)

        type ArtifactLimits (each: int, total: int, count: int)

        type Termination (reason: string, signal: ?string, detail: ?string)

        type Stage (termination: Termination, exit_code: ?int, wall_time_us: int)

        type Outcome (
          termination: Termination,
          exit_code: ?int,
          wall_time_us: int,
          cpu_time_us: int,
          memory_peak: int,
          queue_time_us: int,
          compile: ?Stage
        )

        # `descriptor` is absent for a file that is larger than the limits of the call.
        type Artifact (path: string, size: int, descriptor: ?int)

        # The size of a terminal in characters.
        type Terminal (rows: int, columns: int)

        type SandboxLimits (memory: int, cpu_millicores: int, processes: int, disk: int)

        # What a sandbox may reach: nothing, everything public when no place is named, or these names, wildcards, addresses and
        # networks, each perhaps with a port.
        type Network (enabled: bool, allowed_hosts: []string)

        # What has gone over a sandbox's link since its start; `refused_packets` went where it may not reach, or were too many.
        type Traffic (sent_bytes: int, received_bytes: int, refused_packets: int)

        # `phase` is running, stopped, or failed: it does not run and nobody asked for that; `reason` says why.
        type Sandbox (
          sandbox: string,
          account: string,
          phase: string,
          reason: ?string,
          started_at: ?string,
          limits: SandboxLimits,
          memory_used: int,
          cpu_millicores_used: int,
          cpu_time_us: int,
          disk_used: int,
          executions: int,
          processes: int,
          network: Network,
          traffic: ?Traffic
        )

        # How far a snapshot is; bytes of all its phases together.
        type SnapshotProgress (phase: string, done: int, total: int)

        # `parent` is the snapshot that its files are told by the differences from; `disk` is the size of the sandbox's disk, `size`
        # what it uses on the host's, and `pause_us` how long the sandbox stood still.
        type Snapshot (
          snapshot: string,
          account: string,
          image: string,
          parent: ?string,
          memory: bool,
          size: int,
          disk: int,
          pause_us: int,
          created_at: string
        )

        # A file below /workspace. `kind` is file, directory, link or other; `tag` changes whenever the file does.
        type FileEntry (
          path: string,
          kind: string,
          size: int,
          mode: int,
          modified_us: int,
          created_us: int,
          tag: string,
          target: ?string
        )

        # A background process; `exit_code` and `signal` tell how it ended.
        type Process (
          pid: int,
          arguments: []string,
          started_us: int,
          running: bool,
          exit_code: ?int,
          signal: ?string
        )

        # A piece of a process's output: stdout or stderr, how many bytes of both came before, and its bytes in base64.
        type OutputEntry (stream: string, offset: int, data: string)

        # Runs one program in a sandbox made for it. Called with `more`; the replies tell what happens: `queued` (position),
        # `started`, `compiled` (stage), `artifacts` (artifacts, several replies), and last `finished` (outcome).
        # input: descriptor of a sealed memfd; stdin, stdout, stderr, compile_output: descriptors. No stdin is an empty one.
        # Closing the connection ends the execution. With `sandbox` it runs in that persistent sandbox, whose image counts and not
        # `template`; `scratch` is removed from /workspace when it has ended. With `context` the file `entrypoint` is a cell for that
        # context. `started` may come with `streams`, the descriptors that the output, the errors and a cell's results are read from
        # instead of the pipes of the call. With `terminal` the program has one, whose other end is the only one of `streams`. `command`
        # runs in place of the template's program, in a persistent sandbox alone.
        method Execute(
          execution: string,
          account: string,
          request: ?string,
          sandbox: ?string,
          context: ?string,
          scratch: ?string,
          template: string,
          entrypoint: ?string,
          arguments: []string,
          environment: []Variable,
          limits: Limits,
          network: ?Network,
          files: []File,
          artifact_limits: ArtifactLimits,
          input: ?int,
          stdin: ?int,
          stdout: int,
          stderr: int,
          compile_output: ?int,
          terminal: ?Terminal,
          command: ?[]string
        ) -> (event: string, position: ?int, stage: ?Stage, artifacts: ?[]Artifact, outcome: ?Outcome,
          streams: ?[]int)

        # Ends a running or waiting execution; it then finishes with this reason: `cancelled` or `output_limit`.
        method Terminate(execution: string, account: string, reason: string) -> (terminated: bool)

        # Sends a signal to the program of a running execution; false when no program of it runs now.
        method SignalExecution(execution: string, account: string, signal: int) -> (signalled: bool)

        # Makes a persistent sandbox and starts it. One of that name that is there already is started. No `network` is none.
        method CreateSandbox(
          sandbox: string,
          account: string,
          template: string,
          limits: SandboxLimits,
          network: ?Network
        ) -> (sandbox: Sandbox)

        # Starts a sandbox that does not run.
        method StartSandbox(sandbox: string, account: string) -> (sandbox: Sandbox)

        # Ends everything in a sandbox; its files stay.
        method StopSandbox(sandbox: string, account: string) -> (sandbox: Sandbox)

        # Changes what a sandbox may use and reach, at once when it runs. A disk can only grow. Without `network` that stays.
        method UpdateSandbox(
          sandbox: string,
          account: string,
          limits: SandboxLimits,
          network: ?Network
        ) -> (sandbox: Sandbox)

        # Removes a sandbox with its files; one that is not there is no error.
        method RemoveSandbox(sandbox: string, account: string) -> ()

        # How a sandbox stands.
        method InspectSandbox(sandbox: string, account: string) -> (sandbox: Sandbox)

        # How the sandboxes of the instance stand, in the order of their names: at most 200 of those that come after one.
        method ListSandboxes(after: ?string) -> (sandboxes: []Sandbox)

        # Stops all sandboxes, before the whole service ends.
        method StopAllSandboxes() -> ()

        # What stands at a path below the sandbox's /workspace; links are followed within the sandbox. Paths of all these calls are
        # relative, without empty segments, `.` and `..`; everything is done as the user of the sandbox's programs.
        method StatFile(sandbox: string, account: string, path: string) -> (file: FileEntry)

        # Opens a regular file for reading; `descriptor` is the index of its descriptor.
        method OpenFile(sandbox: string, account: string, path: string) -> (file: FileEntry, descriptor: int)

        # What stands in a directory, in several replies. `complete` tells in the last one whether that is all.
        method ListFiles(sandbox: string, account: string, path: string, recursive: bool, limit: int) -> (
          files: []FileEntry,
          complete: bool
        )

        # Makes a directory with those above it.
        method MakeDirectory(sandbox: string, account: string, path: string, following: ?bool) -> (file: FileEntry)

        # Gives a file or a directory another name.
        method MoveFile(sandbox: string, account: string, path: string, target: string, replace: bool) -> (file: FileEntry)

        # Removes a file, or a directory with what is in it.
        method RemoveFile(sandbox: string, account: string, path: string, recursive: bool) -> ()

        # Begins a file: `descriptor` is for writing. CommitUpload on the same connection gives it its name; without that, and when
        # the connection closes, it is gone.
        method BeginUpload(sandbox: string, account: string) -> (descriptor: int)

        # `lasting` false leaves it to SynchronizeFiles that it is there after a power cut; `following` false follows no link.
        method CommitUpload(
          sandbox: string,
          account: string,
          path: string,
          mode: int,
          lasting: ?bool,
          following: ?bool
        ) -> (file: FileEntry)

        # Makes a symbolic link, wherever it leads.
        method MakeLink(sandbox: string, account: string, path: string, target: string) -> ()

        method SynchronizeFiles(sandbox: string, account: string) -> ()

        # Starts a background process: it belongs to the sandbox and outlives this service. With `context` it is the template's
        # interpreter for cells, and that name its last argument.
        method StartProcess(
          sandbox: string,
          account: string,
          arguments: []string,
          environment: []Variable,
          directory: string,
          context: ?string
        ) -> (process: Process)

        # The background processes, running or over.
        method ListProcesses(sandbox: string, account: string) -> (processes: []Process)

        # Output after an offset; waits for some at most that long. What is older than 192 KiB is gone.
        method ReadProcess(sandbox: string, account: string, process: int, offset: int, wait_ms: int) -> (
          entries: []OutputEntry,
          next: int,
          over: bool
        )

        # Writes to a process's input, `data` in base64, as much as it takes now.
        method WriteProcess(sandbox: string, account: string, process: int, data: string, close: bool) -> (written: int)

        method SignalProcess(sandbox: string, account: string, process: int, signal: int) -> ()

        # Kills a process with everything that it has started, and forgets it.
        method RemoveProcess(sandbox: string, account: string, process: int) -> ()

        # The manifests of the images that can be used now.
        method ListImages() -> (images: []object)

        # Makes the disk of a persistent sandbox the image of a user's template, `tmpl_…-v3`, above the sandbox's own image; the
        # sandbox ends with that. `environment` is every program's in sandboxes of the template. `size` is the bytes in use.
        method SealTemplate(
          sandbox: string,
          account: string,
          template: string,
          environment: []Variable
        ) -> (size: int)

        # Removes an image of a user's template; one that is not there is no error, one in use is a conflict.
        method RemoveTemplate(template: string, account: string) -> ()

        # The manifest of the image that an account may make sandboxes from by that name: a system template's, or one of its own.
        method FindImage(template: string, account: string) -> (image: object)

        # Takes a snapshot, in several replies: `progress` in each but the last, which has `snapshot`. One of that name that is there
        # already is the answer.
        method CreateSnapshot(
          snapshot: string,
          sandbox: string,
          account: string,
          parent: ?string,
          compress: bool,
          memory: bool
        ) -> (progress: ?SnapshotProgress, snapshot: ?Snapshot)

        # Makes a sandbox what a snapshot holds, all of it or nothing: one that is there gets that state in place of its own, any other
        # is made. A sandbox that has `restore` behind it already is the answer.
        method RestoreSnapshot(
          snapshot: string,
          account: string,
          sandbox: string,
          restore: string,
          memory: bool,
          limits: SandboxLimits,
          network: Network
        ) -> (sandbox: Sandbox)

        # Removes a snapshot; one that is not there is no error, one in use is a conflict.
        method RemoveSnapshot(snapshot: string, account: string) -> ()

        # Reads all of a snapshot and compares it with what was noted when it was taken.
        method VerifySnapshot(snapshot: string, account: string) -> (snapshot: Snapshot)

        # The snapshots that come after a name, in the order of their names.
        method ListSnapshots(after: ?string) -> (snapshots: []Snapshot)

        # Writes the processes of a sandbox to the host's disk and frees their memory.
        method PauseSandbox(sandbox: string, account: string) -> (sandbox: Sandbox)

        # Lets the processes of a paused sandbox go on where they were.
        method ResumeSandbox(sandbox: string, account: string) -> (sandbox: Sandbox)

        # How the service stands.
        method GetStatus() -> (
          version: string,
          isolation: string,
          executions_running: int,
          executions_waiting: int,
          executions_limit: int,
          ready: int,
          ready_counts: []ReadyCount,
          ready_taken: int,
          ready_missed: int,
          sandboxes: int,
          features: []string,
          memory_snapshots_missing: ?string
        )

        # The machine is full: the execution waited for its turn as long as it may.
        error Busy ()

        # No image of that name is built.
        error TemplateNotFound (template: string)

        # There is no such sandbox, or it belongs to another account.
        error SandboxNotFound (sandbox: string)

        # The sandbox does not run; `reason` is its phase.
        error SandboxNotRunning (reason: string)

        # The sandbox stands in a way that forbids the change.
        error Conflict (reason: string)

        # The host gives sandboxes no network; `reason` says what is missing.
        error NetworkUnavailable (reason: string)

        # No room is left on the host's disk, or on the sandbox's.
        error NoSpace (reason: string)

        # There is no such file, process or context.
        error NotFound (reason: string)

        # There is no such snapshot, or it belongs to another account.
        error SnapshotNotFound (snapshot: string)

        # It cannot be done with this sandbox, this snapshot or this host; `reason` says why.
        error NotPossible (reason: string)

        # The call asks for something that is not allowed.
        error InvalidSpec (reason: string)

        # The sandbox could not be made or watched; `step` says where.
        error IsolationFailed (step: string, reason: string)
        """ + "\n"
}
