"""The catalogue's rows about going on: cut connections, ranges and validators, in the image's second half."""
# SPDX-License-Identifier: Apache-2.0

import misbehaviour
from misbehaviour import LOST, OK, REFUSED, entry

misbehaviour.group[0] = "Cut connections, and answers to a request for the rest"
ETAG = 'ETag: "one"'
CHANGED = "ESP_FAIL download"  # the update fails, the next one starts afresh


def cut_first(peer, *lines):
    """Answers the first connection with half of the image and a cut. False: go on with the returned request."""
    asked = peer.request()
    if asked is None or peer.index > 0:
        return asked
    peer.head("200 OK", "Accept-Ranges: bytes", *lines, length=len(peer.image))
    peer.send(peer.image[:len(peer.image) // 2])
    return None


def partial(peer, first, total, *lines, body=None):
    body = peer.image[first:] if body is None else body
    peer.answer(f"Content-Range: bytes {first}-{first + len(body) - 1}/{total}", *lines, status="206 Partial Content",
                body=body)


def asked_for_rest(player):
    """With --resume the second request must say what it wants, and whose rest it is."""
    if len(player.requests) < 2:
        return None
    second = player.requests[1]
    if second.range_start is None or second.headers.get("if-range") != '"one"':
        return f"the second request was {second.headers}"
    return None


@entry("cut-once", "cuts the connection after half of the image, then answers the request for the rest", LOST,
       resumed=OK, check=asked_for_rest)
def _(peer):
    asked = cut_first(peer, ETAG)
    if asked:
        peer.answer_range(asked, ETAG)


@entry("cut-every-4-kib", "cuts every connection after 4 KiB more", LOST, resumed=OK)
def _(peer):
    asked = peer.request()
    if not asked:
        return
    start = asked.range_start or 0
    if start:
        peer.head("206 Partial Content", ETAG, f"Content-Range: bytes {start}-{len(peer.image) - 1}/{len(peer.image)}",
                  length=len(peer.image) - start)
    else:
        peer.head("200 OK", ETAG, "Accept-Ranges: bytes", length=len(peer.image))
    peer.send(peer.image[start:start + 4096])


@entry("cut-before-anything", "resets every connection without an answer", REFUSED, resumed=REFUSED)
def _(peer):
    if peer.request():
        peer.reset()


@entry("range-answered-200", "answers the request for the rest with the whole image (200)", LOST, resumed=OK)
def _(peer):
    if cut_first(peer, ETAG):
        peer.answer(ETAG)


@entry("range-starts-elsewhere", "answers it with 206 and a range that starts 100 bytes too late", LOST, resumed=OK)
def _(peer):
    asked = cut_first(peer, ETAG)
    if asked and asked.range_start is not None:
        partial(peer, asked.range_start + 100, len(peer.image), ETAG)
    elif asked:
        peer.answer(ETAG)


@entry("range-of-other-bytes", "answers it with a right Content-Range and other bytes: the hash must find it", LOST,
       resumed="ESP_ERR_OTA_VALIDATE_FAILED verify")
def _(peer):
    asked = cut_first(peer, ETAG)
    if asked and asked.range_start is not None:
        partial(peer, asked.range_start, len(peer.image), ETAG, body=bytes(len(peer.image) - asked.range_start))
    elif asked:
        peer.answer(ETAG)


@entry("range-other-total", "answers it with 206 and another total length", LOST, resumed=CHANGED)
def _(peer):
    asked = cut_first(peer, ETAG)
    if asked and asked.range_start is not None:
        partial(peer, asked.range_start, len(peer.image) + 1000, ETAG)
    elif asked:
        peer.answer(ETAG)


@entry("range-unknown-total", "answers it with 206 and a total of `*`", LOST, resumed=OK)
def _(peer):
    asked = cut_first(peer, ETAG)
    if asked and asked.range_start is not None:
        partial(peer, asked.range_start, "*", ETAG)
    elif asked:
        peer.answer(ETAG)


@entry("range-without-content-range", "answers it with 206 and no Content-Range", LOST, resumed=OK)
def _(peer):
    asked = cut_first(peer, ETAG)
    if asked and asked.range_start is not None:
        peer.answer(ETAG, status="206 Partial Content", body=peer.image[asked.range_start:])
    elif asked:
        peer.answer(ETAG)


@entry("range-multipart", "answers it with 206 as multipart/byteranges", LOST, resumed=OK)
def _(peer):
    asked = cut_first(peer, ETAG)
    if asked and asked.range_start is not None:
        head = f"--x\r\nContent-Range: bytes {asked.range_start}-{len(peer.image) - 1}/{len(peer.image)}\r\n\r\n".encode()
        peer.answer("Content-Type: multipart/byteranges; boundary=x", ETAG, status="206 Partial Content",
                    body=head + peer.image[asked.range_start:] + b"\r\n--x--\r\n")
    elif asked:
        peer.answer(ETAG)


@entry("range-shorter", "answers it with less than was asked for, correctly said; then the rest", LOST, resumed=OK)
def _(peer):
    asked = cut_first(peer, ETAG)
    if asked and asked.range_start is not None:
        partial(peer, asked.range_start, len(peer.image), ETAG, body=peer.image[asked.range_start:][:5000])
    elif asked:
        peer.answer(ETAG)


@entry("range-answered-416", "answers the request for the rest with 416, any other with the image", LOST, resumed=OK)
def _(peer):
    asked = cut_first(peer, ETAG)
    if asked and asked.range_start is not None:
        peer.answer(f"Content-Range: bytes */{len(peer.image)}", status="416 Range Not Satisfiable", body=b"")
    elif asked:
        peer.answer(ETAG)


@entry("range-answered-304", "answers the request for the rest with 304, any other with the image", LOST,
       resumed="ESP_ERR_HTTP_NOT_MODIFIED request")
def _(peer):
    asked = cut_first(peer, ETAG)
    if asked and asked.range_start is not None:
        peer.head("304 Not Modified", ETAG)
    elif asked:
        peer.answer(ETAG)


@entry("range-answered-404", "answers the request for the rest with 404", LOST, resumed=REFUSED)
def _(peer):
    if cut_first(peer, ETAG):
        peer.answer(status="404 Not Found", body=b"gone")


for name, does, until in (("range-answered-503", "answers the request for the rest twice with 503, then as it should", 3),
                          ("range-answered-503-for-ever", "answers every request for the rest with 503", 1000)):
    @entry(name, does, LOST, resumed=OK if until < 10 else REFUSED)
    def _(peer, until=until):
        asked = cut_first(peer, ETAG)
        if asked and peer.index < until:
            peer.answer("Retry-After: 1", status="503 Service Unavailable", body=b"")
        elif asked:
            peer.answer_range(asked, ETAG)


@entry("range-unasked", "answers 206 with the second half though nobody asked for a range", "ESP_ERR_INVALID_RESPONSE request")
def _(peer):
    if peer.request():
        partial(peer, len(peer.image) // 2, len(peer.image), ETAG)


@entry("etag-changed", "has another image with another ETag by then, and says so with 200", LOST, resumed=CHANGED)
def _(peer):
    asked = cut_first(peer, ETAG)
    if asked:
        peer.answer('ETag: "two"', body=peer.player.newer)


@entry("etag-changed-and-if-range-ignored", "has another image by then, and answers with its rest and its ETag (206)",
       LOST, resumed=CHANGED)
def _(peer):
    asked = cut_first(peer, ETAG)
    if asked:
        peer.answer_range(asked, 'ETag: "two"', body=peer.player.newer)


@entry("etag-weak", "has weak ETags only: they promise no bytes, so they cannot stand in If-Range", LOST, resumed=OK,
       check=lambda player: next((f"a request had If-Range: {r.headers['if-range']}" for r in player.requests
                                  if "if-range" in r.headers), None))
def _(peer):
    asked = cut_first(peer, 'ETag: W/"one"')
    if asked:
        peer.answer_range(asked, 'ETag: W/"one"')


@entry("etag-missing", "has no validator at all, and another image by then", LOST, resumed=CHANGED)
def _(peer):
    asked = cut_first(peer)
    if asked:
        peer.answer_range(asked, body=peer.player.newer)


@entry("last-modified-only", "has a Last-Modified and no ETag", LOST, resumed=OK)
def _(peer):
    line = "Last-Modified: Sat, 01 Nov 2025 10:00:00 GMT"
    asked = cut_first(peer, line, "Date: Fri, 21 Nov 2025 10:00:00 GMT")
    if asked:
        peer.answer_range(asked, line)


@entry("ranges-refused", "says Accept-Ranges: none and ignores ranges", LOST, resumed=OK)
def _(peer):
    asked = peer.request()
    if not asked:
        return
    peer.head("200 OK", "Accept-Ranges: none", ETAG, length=len(peer.image))
    peer.send(peer.image[:len(peer.image) // 2] if peer.index == 0 else peer.image)


@entry("cut-in-chunks", "cuts a chunked body, then answers the request for the rest", LOST, resumed=OK)
def _(peer):
    asked = peer.request()
    if not asked:
        return
    if peer.index == 0:
        peer.head("200 OK", "Transfer-Encoding: chunked", ETAG)
        peer.chunks(peer.image[:len(peer.image) // 2])
    else:
        peer.answer_range(asked, ETAG)


@entry("silence-then-rest", "falls silent in the body; the next connection gets the rest",
       "ESP_ERR_HTTP_READ_TIMEOUT download", limit_s=misbehaviour.STALL_S, resumed=OK)
def _(peer):
    asked = peer.request()
    if not asked:
        return
    if peer.index == 0:
        peer.head("200 OK", ETAG, length=len(peer.image))
        peer.send(peer.image[:9000])
        peer.hold()
    else:
        peer.answer_range(asked, ETAG)


@entry("redirect-then-cut", "redirects, cuts there, and has the rest there", LOST, resumed=OK)
def _(peer):
    asked = peer.request()
    while asked and asked.path == "/image.bin":
        peer.answer("Location: /moved", status="302 Found", body=b"")
        asked = peer.request()
    if not asked:
        return
    if asked.range_start is None and not peer.player.state.get("cut"):
        peer.player.state["cut"] = True
        peer.head("200 OK", ETAG, length=len(peer.image))
        peer.send(peer.image[:len(peer.image) // 2])
    else:
        peer.answer_range(asked, ETAG)


CUT_ANYWHERE = f"{LOST} or {REFUSED}"


def cut_at(peer, goodbye):
    asked = peer.request()
    if not asked:
        return
    if peer.index > 0:
        peer.answer_range(asked, ETAG)
        return
    head = f"HTTP/1.1 200 OK\r\n{ETAG}\r\nAccept-Ranges: bytes\r\nContent-Length: {len(peer.image)}\r\n\r\n".encode()
    peer.send((head + peer.image)[:peer.player.state["cut"]])
    goodbye(peer)


@entry("reset-at-every-byte", "resets the connection after byte k of its answer, for all k of an image of 64 KiB (sampled, "
       "all with OTTER_ALL_CUTS=1); then has the rest", CUT_ANYWHERE, resumed=OK, sweep=True)
def _(peer):
    cut_at(peer, lambda p: p.reset())


@entry("close-at-every-byte", "the same, but closes with FIN and no TLS close notify", CUT_ANYWHERE, resumed=OK, sweep=True)
def _(peer):
    cut_at(peer, lambda p: None)


@entry("goodbye-at-every-byte", "the same, but closes properly, with TLS's close notify", CUT_ANYWHERE, resumed=OK,
       sweep=True)
def _(peer):
    cut_at(peer, lambda p: p.say_goodbye())
