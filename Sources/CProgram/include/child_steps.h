// Steps that several children take between their fork and what they become: async-signal-safe, no allocation.
#pragma once

#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// Every signal as it is by default, and none blocked.
static inline int child_reset_signals(void) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < 65; number++)
        if (number != SIGKILL && number != SIGSTOP) sigaction(number, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

// Lowers a resource limit. Lower only: a service without CAP_SYS_RESOURCE cannot raise, and need not.
static inline int child_lower_limit(int resource, rlim_t soft, rlim_t hard) {
    struct rlimit now, wanted = {.rlim_cur = soft, .rlim_max = hard};
    if (getrlimit(resource, &now) < 0) return -1;
    if (wanted.rlim_max > now.rlim_max) wanted.rlim_max = now.rlim_max;
    if (wanted.rlim_cur > wanted.rlim_max) wanted.rlim_cur = wanted.rlim_max;
    return setrlimit(resource, &wanted);
}

// Leaves no capability in the permitted, effective and inheritable sets.
static inline int child_drop_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2];
    memset(none, 0, sizeof none);
    return (int)syscall(SYS_capset, &header, none);
}
