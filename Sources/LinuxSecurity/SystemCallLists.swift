/// Which system calls the user's programs have.
///
/// Names that an architecture lacks (arm64 has no `open`) are passed over; a test holds every name against libseccomp.
enum SystemCallLists {
    /// Allowed, whatever their arguments as far as this list goes; `SeccompPolicy.arguments()` has more to say on some.
    static let allowed: [String] = words(
        """
        read write open openat openat2 creat close close_range stat fstat lstat newfstatat statx lseek pread64 pwrite64
        readv writev preadv preadv2 pwritev pwritev2 access faccessat faccessat2 dup dup2 dup3 fcntl flock fsync fdatasync
        syncfs sync_file_range truncate ftruncate fallocate fadvise64 readahead getdents getdents64 getcwd chdir fchdir
        rename renameat renameat2 mkdir mkdirat rmdir link linkat unlink unlinkat symlink symlinkat readlink readlinkat
        chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat umask utime utimes utimensat futimesat statfs fstatfs
        copy_file_range sendfile splice tee pipe pipe2 inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
        getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr setxattr lsetxattr fsetxattr removexattr lremovexattr
        fremovexattr cachestat ioctl mknod mknodat

        mmap mprotect munmap mremap brk madvise msync mincore mlock munlock mlock2 munlockall memfd_create membarrier
        pkey_alloc pkey_free pkey_mprotect shmget shmat shmdt shmctl map_shadow_stack mseal

        execve execveat exit exit_group fork vfork clone wait4 waitid kill tkill tgkill pidfd_open pidfd_send_signal getpid
        getppid gettid getpgid setpgid getpgrp getsid setsid getuid geteuid getgid getegid getresuid getresgid setuid
        setgid setreuid setregid setresuid setresgid setfsuid setfsgid getgroups setgroups capget capset prctl arch_prctl
        set_tid_address set_robust_list get_robust_list rseq futex futex_waitv futex_wake futex_wait futex_requeue
        sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler
        sched_setscheduler sched_getattr sched_setattr sched_get_priority_max sched_get_priority_min
        sched_rr_get_interval getpriority setpriority getrlimit setrlimit prlimit64 getrusage times uname sysinfo getcpu
        getrandom seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self restart_syscall rt_sigaction
        rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigqueueinfo rt_tgsigqueueinfo rt_sigsuspend
        sigaltstack pause alarm uretprobe

        clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time getitimer setitimer timer_create
        timer_settime timer_gettime timer_getoverrun timer_delete timerfd_create timerfd_settime timerfd_gettime poll
        ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2
        signalfd signalfd4 semget semop semctl semtimedop msgget msgsnd msgrcv msgctl io_setup io_submit io_getevents
        io_pgetevents io_cancel io_destroy

        socket socketpair bind connect listen accept accept4 getsockname getpeername getsockopt setsockopt sendto recvfrom
        sendmsg recvmsg sendmmsg recvmmsg shutdown
        """)

    /// Answered as by a kernel that does not know them, so that libraries fall back: glibc from clone3 to clone.
    static let unknown: [String] = words(
        """
        clone3 io_uring_setup io_uring_enter io_uring_register memfd_secret statmount listmount vmsplice userfaultfd
        """)

    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }
}
