"""What the protocol allows and forbids (RFC 6455, sections 5 to 7), in the manner of the Autobahn test suite."""

import json
import os
import struct
import threading
import time

from common import *
from raw import *

# A message that is taken and answered at once; nothing has to run for it.
ASK = '{"type":"stdin","data":"€ 𝄞"}'.encode()
EURO = ASK.index("€".encode())


def pieces(*parts, opcode=TEXT, between=b""):
    """A message in that many frames."""
    out = b""
    for number, part in enumerate(parts):
        out += frame(opcode if number == 0 else CONTINUATION, part, fin=number == len(parts) - 1)
        if number < len(parts) - 1:
            out += between
    return out


def bytewise(data):
    return pieces(*[data[i : i + 1] for i in range(len(data))])


def close(code, reason=b""):
    return frame(CLOSE, struct.pack("!H", code) + reason)


# What is sent, by the name of the case. A list is sent piece by piece.
CASES = {
    # Whole.
    "text": frame(TEXT, ASK),
    "text_bytewise_frames": bytewise(ASK),
    "text_bytewise_socket": [bytes([b]) for b in frame(TEXT, ASK)],
    "split_character": pieces(ASK[: EURO + 1], ASK[EURO + 1 : EURO + 2], ASK[EURO + 2 :]),
    "empty_fragments": pieces(b"", ASK, b"", b""),
    "ping_between_fragments": pieces(ASK[:5], ASK[5:], between=frame(PING, b"between")),
    "pong_unasked": frame(PONG, b"nobody asked") + frame(TEXT, ASK),
    "ping_empty": frame(PING) + frame(TEXT, ASK),
    "ping_125": frame(PING, b"\xfe" * 125) + frame(TEXT, ASK),
    "pings_10": b"".join(frame(PING, b"%d" % i) for i in range(10)) + frame(TEXT, ASK),
    "large_whole": frame(TEXT, b'{"type":"stdin","data":"' + b"x" * ((2 << 20) - 26) + b'"}'),
    "large_fragments": pieces(b'{"type":"stdin","data":"', *[b"x" * 65536] * 31, b'"}'),
    "long_length_form": b"\x81\xfe" + struct.pack("!H", len(ASK)) + b"\0\0\0\0" + ASK,
    # Against the protocol.
    "ping_126": frame(PING, b"x" * 126),
    "ping_fragmented": frame(PING, b"x", fin=False),
    "close_fragmented": frame(CLOSE, struct.pack("!H", 1000), fin=False),
    "close_126": close(1000, b"x" * 124),
    "unmasked": frame(TEXT, ASK, masked=False),
    "unmasked_ping": frame(PING, masked=False),
    "unmasked_close": frame(CLOSE, masked=False),
    "reserved_1": frame(TEXT, ASK, reserved=4),
    "reserved_2": frame(TEXT, ASK, reserved=2),
    "reserved_3": frame(PING, b"x", reserved=1),
    "reserved_all": frame(TEXT, ASK, reserved=7),
    "opcode_3": frame(3, b"x"),
    "opcode_7": frame(7),
    "opcode_11": frame(11, b"x"),
    "opcode_15": frame(15),
    "continuation_alone": frame(CONTINUATION, ASK),
    "continuation_after_message": frame(TEXT, ASK) + frame(CONTINUATION, ASK),
    "message_within_message": frame(TEXT, ASK[:5], fin=False) + frame(TEXT, ASK),
    "binary": frame(BINARY, b"\0\1\2"),
    "length_63_bits": b"\x81\xff" + b"\xff" * 8 + b"\0\0\0\0",
    "too_large_frame": frame(TEXT, b"x" * 100, length=(2 << 20) + 1),
    "too_large_message": pieces(*[b"x" * (1 << 20)] * 3),
    "fragments_without_end": frame(TEXT, b"", fin=False) + frame(CONTINUATION, b"", fin=False) * 3000,
    # Not UTF-8 (section 8.1).
    "utf8_invalid": frame(TEXT, b'"\xff"'),
    "utf8_cut_short": frame(TEXT, b'"\xe2\x82'),
    "utf8_across_fragments": pieces(b'"\xe2\x82', b'"'),
    "utf8_surrogate": frame(TEXT, b'"\xed\xa0\x80"'),
    "utf8_overlong": frame(TEXT, b'"\xc0\xaf"'),
    "utf8_beyond": frame(TEXT, b'"\xf4\x90\x80\x80"'),
    # Closes (section 7.4).
    "close_empty": frame(CLOSE),
    "close_1000": close(1000, b"bye"),
    "close_1001": close(1001),
    "close_3000": close(3000),
    "close_4999": close(4999),
    "close_reason_123": close(1000, b"x" * 123),
    "close_1_byte": frame(CLOSE, b"\3"),
    "close_0": close(0),
    "close_999": close(999),
    "close_1004": close(1004),
    "close_1005": close(1005),
    "close_1006": close(1006),
    "close_1015": close(1015),
    "close_2999": close(2999),
    "close_5000": close(5000),
    "close_reason_not_utf8": close(1000, b"\xff"),
    "message_after_close": close(1000) + frame(TEXT, ASK),
    "close_after_half_message": frame(TEXT, ASK[:5], fin=False) + close(1000),
    "ping_flood": b"".join(frame(PING, b"%d" % i) for i in range(5000)),
}
# What ends by a message that is not JSON ends here, so that what is left open is told from what is closed.
OPEN = {name for name in list(CASES)[: list(CASES).index("ping_126")]}


def one(name, sent, outcome):
    connection = Raw()
    try:
        for part in sent if isinstance(sent, list) else [sent]:
            connection.socket.sendall(part)
        if name in OPEN:
            frames = []
            while not frames or frames[-1][0] not in (TEXT, CLOSE):
                frames.append(connection.read())
            end = "open"
            if frames[-1][0] == TEXT:
                # It is in order still: what comes next is answered too.
                connection.socket.sendall(frame(TEXT, b"{}"))
                frames.append(connection.read())
                connection.socket.sendall(close(1000))
                rest, end = connection.rest_of()
                frames += rest
        else:
            frames, end = connection.rest_of()
    except (ConnectionError, EOFError, BrokenPipeError) as error:
        frames, end = connection.rest_of() if not isinstance(error, EOFError) else ([], "closed")
    shown = []
    for opcode, payload in frames:
        if opcode == TEXT:
            shown.append({"text": json.loads(payload)})
        elif opcode == CLOSE:
            shown.append({"close": struct.unpack("!H", payload[:2])[0] if payload else None, "reason": payload[2:].decode()})
        else:
            shown.append({"opcode": opcode, "payload": payload.decode("latin-1")})
    outcome[name] = {"frames": shown, "end": end}
    connection.socket.close()


def cases():
    outcome = {}
    names = list(CASES)
    for begin in range(0, len(names), 40):
        threads = [threading.Thread(target=one, args=(name, CASES[name], outcome)) for name in names[begin : begin + 40]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return outcome


def silence_after_close():
    """A program prints on while its connection is closed for a mistake: no message follows the close."""
    connection = Raw()
    connection.say(
        type="execute", language="python", code="import time\nfor i in range(3000):\n    print(i, flush=True)\n    time.sleep(0.001)")
    identifier = connection.hear()["execution_id"]
    connection.socket.sendall(frame(BINARY, b"x"))
    frames, end = connection.rest_of()
    kinds = [opcode for opcode, _ in frames]
    back = Raw()
    back.say(type="attach", execution_id=identifier)
    heard = [back.hear()]
    while heard[-1]["type"] not in LAST:
        heard.append(back.hear())
    back.socket.close()
    after = kinds[kinds.index(CLOSE) + 1 :] if CLOSE in kinds else None
    return {"after": after, "end": end, "back": heard[-1], "text": printed(heard).decode()}


main(globals())
