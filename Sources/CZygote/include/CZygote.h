// A module of CPython that makes an interpreter a zygote: `serve()` waits for the isolator's word and returns in each
// program's process, which stands in its sandbox with nothing of the zygote's rights.
#pragma once

// The packet that the zygote is sent: the START packet of soulbox-init (IsolationProtocol's InitMessage.swift), with these
// descriptors. What it answers goes over the connection among them.
enum zygote_descriptor {
    ZYGOTE_SANDBOX, // pidfd of PID 1
    ZYGOTE_CONNECTION,
    ZYGOTE_STREAMS,
    ZYGOTE_HANDOVER = ZYGOTE_STREAMS + 3,
    ZYGOTE_DESCRIPTORS = ZYGOTE_HANDOVER + 2,
};
