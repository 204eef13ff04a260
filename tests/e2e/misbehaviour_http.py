"""The catalogue's rows about HTTP: framing, redirects, credentials, statuses, heads and pace."""
# SPDX-License-Identifier: Apache-2.0

import base64
import gzip
import hashlib
import re
import time

import misbehaviour
from misbehaviour import LOST, NO_IMAGE, OK, REFUSED, SILENT, STALL_S, STALLED, TORN, entry

misbehaviour.group[0] = "Length and framing of the body"


@entry("no-length", "says no length, ends the body by closing (with TLS's close notify)", OK)
def _(peer):
    peer.request()
    peer.head("200 OK", "Connection: close")
    peer.send(peer.image)
    peer.say_goodbye()


@entry("http-1.0", "answers as HTTP/1.0, without a length", OK)
def _(peer):
    peer.request()
    peer.send(b"HTTP/1.0 200 OK\r\n\r\n" + peer.image)
    peer.say_goodbye()


@entry("no-length-cut", "says no length and closes after half of the image, properly", TORN)
def _(peer):
    peer.request()
    peer.head("200 OK", "Connection: close")
    peer.send(peer.image[:len(peer.image) // 2])
    peer.say_goodbye()


@entry("length-too-small", "says a length 100 bytes short, sends the whole image", TORN)
def _(peer):
    peer.request()
    peer.head(length=len(peer.image) - 100)
    peer.send(peer.image)


@entry("length-too-large", "says a length 100 bytes long, sends the image and closes", LOST)
def _(peer):
    peer.request()
    peer.head(length=len(peer.image) + 100)
    peer.send(peer.image)


@entry("length-too-large-open", "the same, but the connection stays open", STALLED, limit_s=STALL_S)
def _(peer):
    peer.request()
    peer.head(length=len(peer.image) + 100)
    peer.send(peer.image)
    peer.hold()


@entry("image-and-more", "sends 100 bytes behind the image, counted in the length", OK)
def _(peer):
    peer.request()
    peer.answer(body=peer.image + bytes(100))


@entry("length-zero", "says a length of 0", "ESP_FAIL gate")
def _(peer):
    peer.request()
    peer.answer(body=b"")


@entry("status-204", "has no content (204)", "ESP_FAIL gate")
def _(peer):
    peer.request()
    peer.head("204 No Content")


for name, does, lines in (
        ("length-twice", "says two different lengths", ("Content-Length: 1000", "Content-Length: 2000")),
        ("length-negative", "says a negative length", ("Content-Length: -5",)),
        ("length-no-number", "says a length that is no number", ("Content-Length: 12k",)),
        ("length-beyond-64-bits", "says a length of 2^64 + 100", ("Content-Length: 18446744073709551716",)),
        ("length-and-chunked", "says a length and chunked", ("Content-Length: 1000", "Transfer-Encoding: chunked")),
        ("transfer-gzip", "uses Transfer-Encoding: gzip, chunked unasked", ("Transfer-Encoding: gzip, chunked",)),
):
    @entry(name, does, REFUSED)
    def _(peer, lines=lines):
        peer.request()
        peer.head("200 OK", *lines)
        peer.send(peer.image)


@entry("length-between-tabs", "has tabs around the length (that is right)", OK)
def _(peer):
    peer.request()
    peer.head("200 OK", f"Content-Length:\t{len(peer.image)}\t ")
    peer.send(peer.image)


@entry("length-too-large-for-the-slot", "says a length of 4 GiB", "ESP_ERR_INVALID_SIZE gate")
def _(peer):
    peer.request()
    peer.head(length=1 << 32)
    peer.send(peer.image)


@entry("chunked", "sends the image chunked, with extensions and a trailer (that is right)", OK)
def _(peer):
    peer.request()
    peer.head("200 OK", "Transfer-Encoding: chunked")
    for at in range(0, len(peer.image), 3000):
        part = peer.image[at:at + 3000]
        peer.send(b"%04X;name=value\r\n%s\r\n" % (len(part), part))
    peer.send(b"0\r\nX-Trailer: 1\r\n\r\n")


for name, does, bad in (
        ("chunk-size-no-number", "sends a chunk size that is no number", b"xyz\r\n"),
        ("chunk-size-negative", "sends a negative chunk size", b"-5\r\n"),
        ("chunk-size-beyond-64-bits", "sends a chunk size beyond 64 bits", b"1ffffffffffffffff\r\n"),
        ("chunk-size-missing", "sends an empty line for a chunk size", b"\r\n"),
        ("chunk-longer-than-its-size", "sends a chunk that is longer than its size", b"3\r\nabcdefgh\r\n"),
        ("chunk-ends-in-two-other-bytes", "sends a chunk that ends in two other bytes than CR LF", b"3\r\nabcXY"),
        ("chunk-size-ends-in-lf", "sends a chunk size that ends in LF alone", b"3\nabc\r\n"),
):
    @entry(name, does + ", after a good chunk", LOST)
    def _(peer, bad=bad):
        peer.request()
        peer.head("200 OK", "Transfer-Encoding: chunked")
        peer.chunks(peer.image[:10_000])
        peer.send(bad + peer.image[10_000:])
        peer.hold(2)


for name, does, end in (
        ("chunk-last-ends-otherwise", "ends the last, empty chunk's line in CR and another byte", b"0\rX\r\n"),
        ("chunked-ends-otherwise", "ends the chunked body in CR and another byte", b"0\r\n\rX"),
        ("chunked-with-a-broken-trailer", "sends a trailer line that is none", b"0\r\nX Y\r\n\r\n"),
):
    @entry(name, does + ", behind the whole image", LOST)
    def _(peer, end=end):
        peer.request()
        peer.head("200 OK", "Transfer-Encoding: chunked")
        peer.chunks(peer.image)
        peer.send(end)


@entry("chunked-cut", "cuts a chunked body in the middle of a chunk", LOST)
def _(peer):
    peer.request()
    peer.head("200 OK", "Transfer-Encoding: chunked")
    peer.chunks(peer.image[:10_000])
    peer.send(b"1000\r\n" + peer.image[10_000:11_000])
    peer.say_goodbye()


@entry("chunked-without-end", "sends all chunks but not the last, empty one, and closes: the image itself says that it "
       "is whole", OK)
def _(peer):
    peer.request()
    peer.head("200 OK", "Transfer-Encoding: chunked")
    peer.chunks(peer.image)
    peer.say_goodbye()


@entry("chunk-extension-endless", "sends a chunk extension for ever", LOST)
def _(peer):
    peer.request()
    peer.head("200 OK", "Transfer-Encoding: chunked")
    peer.chunks(peer.image[:10_000])
    peer.send(b"5;")
    while not peer.player.stopping.is_set():
        peer.send(b"x" * 1000)


@entry("content-gzip", "sends the image as gzip, unasked, and says so", REFUSED)
def _(peer):
    peer.request()
    peer.answer("Content-Encoding: gzip", body=gzip.compress(peer.image))


@entry("content-html", "sends a login page with status 200, as captive portals do", NO_IMAGE)
def _(peer):
    peer.request()
    peer.answer("Content-Type: text/html", body=b"<html><body>Please accept our terms</body></html>" * 100)


@entry("image-of-noise", "sends bytes that are no image", NO_IMAGE)
def _(peer):
    peer.request()
    peer.answer(body=bytes((i * i * 31 + i * 17 + 5) % 256 for i in range(len(peer.image))))


@entry("one-bit-wrong", "sends the image with one bit flipped", TORN)
def _(peer):
    peer.request()
    body = bytearray(peer.image)
    body[len(body) // 2] ^= 0x10
    peer.answer(body=bytes(body))


misbehaviour.group[0] = "Redirects"
BAD_LOCATION = "ESP_ERR_INVALID_ARG request"


def redirect(peer, status, location, body=b""):
    lines = () if location is None else (f"Location: {location}",)
    peer.answer(*lines, status=f"{status} Moved", body=body)


for status in (301, 302, 303, 307, 308):
    @entry(f"redirect-{status}", f"redirects with {status}, then delivers on the same connection", OK)
    def _(peer, status=status):
        while (asked := peer.request()) is not None:
            if asked.path == "/moved":
                peer.answer()
            else:
                redirect(peer, status, "/moved", b"It has moved.")


@entry("redirect-with-blanks", "redirects to a Location with blanks in it", OK,
       check=lambda player: None if player.requests[-1].path == "/new%20image.bin" else player.requests[-1].path)
def _(peer):
    while (asked := peer.request()) is not None:
        if asked.path == "/image.bin":
            redirect(peer, 302, "/new image.bin")
        else:
            peer.answer()


@entry("redirect-relative", "redirects to a relative path with dots", OK,
       check=lambda player: None if player.requests[-1].path == "/b/c.bin?x=1" else player.requests[-1].path)
def _(peer):
    while (asked := peer.request()) is not None:
        if asked.path == "/image.bin":
            redirect(peer, 302, "a/../b/./c.bin?x=1#part")
        else:
            peer.answer()


@entry("redirect-loop", "redirects to itself for ever", "ESP_ERR_HTTP_MAX_REDIRECT request")
def _(peer):
    while peer.request() is not None:
        redirect(peer, 302, "/image.bin")


@entry("redirect-two-step-loop", "redirects for ever between two paths, closing each connection",
       "ESP_ERR_HTTP_MAX_REDIRECT request")
def _(peer):
    asked = peer.request()
    redirect(peer, 302, "/b" if asked.path == "/a" else "/a")


@entry("redirect-to-http", "redirects to plain HTTP", "ESP_ERR_HTTP_REDIRECT_DOWNGRADE request",
       check=lambda player: "the plain server was asked" if player.other_requests else None)
def _(peer):
    peer.request()
    redirect(peer, 302, peer.player.other(plain=True))


@entry("redirect-without-location", "redirects without a Location", BAD_LOCATION)
def _(peer):
    peer.request()
    redirect(peer, 302, None)


for name, does, location, outcome in (
        ("redirect-to-ftp", "redirects to ftp:", "ftp://127.0.0.1/image.bin",
         "ESP_ERR_HTTP_REDIRECT_DOWNGRADE request"),
        ("redirect-to-javascript", "redirects to javascript:", "javascript:alert(1)",
         BAD_LOCATION),
        ("redirect-to-broken-address", "redirects to an address that is none", "https://[::1/image.bin",
         BAD_LOCATION),
        ("redirect-to-bad-port", "redirects to port 99999", "https://127.0.0.1:99999/image.bin",
         BAD_LOCATION),
):
    @entry(name, does, outcome)
    def _(peer, location=location):
        peer.request()
        redirect(peer, 302, location)


@entry("redirect-long", "redirects to a URL of 20 000 characters", BAD_LOCATION)
def _(peer):
    peer.request()
    redirect(peer, 302, "/" + "x" * 20_000)


@entry("redirect-body-drips", "redirects with an endless, slow body", OK, limit_s=STALL_S)
def _(peer):
    asked = peer.request()
    if asked and asked.path == "/moved":
        peer.answer()
        return
    peer.head("302 Found", "Location: /moved", length=1 << 30)
    peer.send_each(bytes(600), pause_s=0.1)


def leaked(player):
    """A secret that reached the other host."""
    if not player.other_requests:
        return "the other host was not asked"
    names = {name for asked in player.other_requests for name in asked.headers}
    found = names & {"authorization", "cookie"}
    return f"the other host was sent {', '.join(sorted(found))}" if found else None


@entry("redirect-to-other-host", "redirects to another host; Authorization and Cookie must not follow", OK, check=leaked,
       args=("--header", "Authorization: Bearer secret", "--header", "Cookie: session=secret"))
def _(peer):
    peer.request()
    redirect(peer, 302, peer.player.other("localhost"))


@entry("redirect-to-other-port", "redirects to another port; the URL's password must not follow", OK, check=leaked,
       user="device:secret@")
def _(peer):
    peer.request()
    redirect(peer, 307, peer.player.other())


misbehaviour.group[0] = "Credentials"
UNAUTHORIZED = "ESP_ERR_NOT_SUPPORTED request"
USER, PASSWORD = "device", "secret"
CREDENTIALS = f"{USER}:{PASSWORD}@"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def challenge(peer, *values):
    peer.answer(*(f"WWW-Authenticate: {value}" for value in values), status="401 Unauthorized", body=b"Who are you?")


def serve_basic(peer):
    while (asked := peer.request()) is not None:
        if asked.headers.get("authorization") == BASIC:
            peer.answer()
        else:
            challenge(peer, 'Basic realm="updates"')


entry("basic", "asks for Basic, and the URL has the right password", OK, user=CREDENTIALS)(serve_basic)
entry("basic-wrong-password", "asks for Basic for ever: the password is wrong", REFUSED, user="device:wrong@")(
    serve_basic)
entry("basic-without-password", "asks for Basic, and there is no password", UNAUTHORIZED)(serve_basic)


@entry("challenge-unknown", "asks for a scheme that nobody knows", UNAUTHORIZED, user=CREDENTIALS)
def _(peer):
    while peer.request() is not None:
        challenge(peer, 'Negotiate', 'Unheard-Of realm="x"')


@entry("challenge-missing", "says 401 without a challenge", UNAUTHORIZED, user=CREDENTIALS)
def _(peer):
    while peer.request() is not None:
        challenge(peer)


def digest_is_right(asked, nonce, algorithm, password):
    """RFC 7616 with qop=auth; an answer that repeats a nonce count is still right here."""
    value = asked.headers.get("authorization", "")
    given = {k: q or p for k, q, p in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', value)}
    make = hashlib.md5 if algorithm.startswith("MD5") else hashlib.sha256

    def h(*parts):
        return make(":".join(parts).encode()).hexdigest()

    first = h(USER, "updates", password)
    if algorithm.endswith("-sess"):
        first = h(first, nonce, given.get("cnonce", ""))
    second = h(asked.line.split(" ")[0], asked.path)
    wanted = h(first, nonce, given.get("nc", ""), given.get("cnonce", ""), "auth", second)
    return (value.startswith("Digest ") and given.get("nonce") == nonce and given.get("uri") == asked.path
            and given.get("username") == USER and given.get("qop") == "auth" and given.get("response") == wanted)


def digest_challenge(nonce, algorithm, *more):
    return ", ".join((f'Digest realm="updates", qop="auth", nonce="{nonce}", algorithm={algorithm}, opaque="0a0b"', *more))


for algorithm in ("MD5", "SHA-256", "MD5-sess", "SHA-256-sess"):
    @entry(f"digest-{algorithm.lower()}", f"asks for Digest with {algorithm}, and the password is right", OK,
           user=CREDENTIALS)
    def _(peer, algorithm=algorithm):
        while (asked := peer.request()) is not None:
            if digest_is_right(asked, "n1", algorithm, PASSWORD):
                peer.answer()
            else:
                challenge(peer, digest_challenge("n1", algorithm))


@entry("digest-both", "offers Basic and Digest with SHA-256", OK, user=CREDENTIALS)
def _(peer):
    while (asked := peer.request()) is not None:
        if asked.headers.get("authorization") == BASIC or digest_is_right(asked, "n1", "SHA-256", PASSWORD):
            peer.answer()
        else:
            challenge(peer, 'Basic realm="updates"', digest_challenge("n1", "SHA-256"))


@entry("digest-stale", "finds the first nonce stale, then takes the second", OK, user=CREDENTIALS)
def _(peer):
    while (asked := peer.request()) is not None:
        if digest_is_right(asked, "n2", "SHA-256", PASSWORD):
            peer.answer()
        elif digest_is_right(asked, "n1", "SHA-256", PASSWORD):
            challenge(peer, digest_challenge("n2", "SHA-256", "stale=true"))
        else:
            challenge(peer, digest_challenge("n1", "SHA-256"))


@entry("digest-stale-for-ever", "finds every nonce stale", REFUSED, user=CREDENTIALS)
def _(peer):
    while peer.request() is not None:
        peer.player.state["n"] = n = peer.player.state.get("n", 0) + 1
        challenge(peer, digest_challenge(f"n{n}", "SHA-256", "stale=true"))


@entry("digest-wrong-password", "asks for Digest for ever: the password is wrong", REFUSED, user="device:wrong@")
def _(peer):
    while peer.request() is not None:
        challenge(peer, digest_challenge("n1", "SHA-256"))


misbehaviour.group[0] = "Statuses"

for status, text in ((300, "Multiple Choices"), (305, "Use Proxy"), (306, "Unused"), (400, "Bad Request"),
                     (403, "Forbidden"), (404, "Not Found"), (410, "Gone"), (500, "Internal"),
                     (502, "Bad Gateway"), (599, ""), (999, "Whatever")):
    @entry(f"status-{status}", f"answers {status}", REFUSED)
    def _(peer, status=status, text=text):
        peer.request()
        peer.answer(status=f"{status} {text}", body=b"no")

def second_request_after_a_second(player):
    """With retries the client comes back, and not before the second is over."""
    times = player.state.get("times", [])
    return f"came back after {times[1] - times[0]:.2f} s" if len(times) > 1 and times[1] - times[0] < 1 else None


for status in (429, 503):
    @entry(f"status-{status}", f"answers {status} with Retry-After: 1, delivers from the second request on", REFUSED,
           resumed=OK, check=second_request_after_a_second)
    def _(peer, status=status):
        while (asked := peer.request()) is not None:
            peer.player.state.setdefault("times", []).append(time.monotonic())
            if len(peer.player.requests) == 1:
                peer.answer("Retry-After: 1", status=f"{status} Later", body=b"")
            else:
                peer.answer_range(asked)

    @entry(f"status-{status}-until", f"the same, with a date a second after its own", REFUSED, resumed=OK,
           check=second_request_after_a_second)
    def _(peer, status=status):
        while (asked := peer.request()) is not None:
            peer.player.state.setdefault("times", []).append(time.monotonic())
            if len(peer.player.requests) == 1:
                peer.answer("Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: Sun, 06 Nov 1994 08:49:38 GMT",
                            status=f"{status} Later", body=b"")
            else:
                peer.answer_range(asked)

    @entry(f"status-{status}-for-ever", f"answers {status} for ever, with a Retry-After of a year", REFUSED, resumed=REFUSED,
           resumed_limit_s=misbehaviour.QUICK_S)
    def _(peer, status=status):
        while peer.request() is not None:
            peer.answer("Retry-After: 31536000", status=f"{status} Later", body=b"")


@entry("status-408-unasked", "redirects, and gives up that connection with a 408 when it is asked again", OK)
def _(peer):
    peer.request()
    if peer.index > 0:
        peer.answer()
        return
    redirect(peer, 302, "/moved")
    peer.request()
    peer.answer("Connection: close", status="408 Request Timeout", body=b"late")


@entry("status-304", "answers 304 though nobody asked for a condition", "ESP_ERR_HTTP_NOT_MODIFIED request")
def _(peer):
    peer.request()
    peer.head("304 Not Modified")


@entry("status-416", "answers 416 though nobody asked for a range", "ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE request")
def _(peer):
    peer.request()
    peer.answer("Content-Range: bytes */10", status="416 Range Not Satisfiable", body=b"")


@entry("status-continue", "says 100 Continue first, unasked, and 103", OK)
def _(peer):
    peer.request()
    peer.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    peer.answer()


@entry("status-continue-for-ever", "says 100 Continue for ever", REFUSED)
def _(peer):
    peer.request()
    while not peer.player.stopping.is_set():
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")


for name, does, raw in (
        ("status-101", "switches protocols, unasked", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"),
        ("status-000", "answers status 000", b"HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n"),
        ("status-missing", "answers without a status", b"HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
        ("status-http2", "speaks HTTP/2", b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\0\x10\0\0\0\x06\0\0\x40\0"),
        ("status-http9", "answers as HTTP/9.9", b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ("status-garbage", "answers bytes that are not HTTP", bytes(range(128, 256)) * 30),
        ("status-smtp", "speaks SMTP", b"220 mail.example.org ESMTP\r\n"),
):
    @entry(name, does, REFUSED)
    def _(peer, raw=raw):
        peer.request()
        peer.send(raw)
        peer.hold(3)


misbehaviour.group[0] = "Response heads"


@entry("head-32-kib", "sends 32 KiB of header fields", OK)
def _(peer):
    peer.request()
    peer.answer(*(f"X-Field-{i}: {'v' * 300}" for i in range(100)), "X-Last: 1")


@entry("head-one-long-field", "sends one header field of 32 KiB", OK)
def _(peer):
    peer.request()
    peer.answer("X-Long: " + "v" * 32_768)


@entry("head-endless", "sends header fields for ever", REFUSED)
def _(peer):
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\n")
    while not peer.player.stopping.is_set():
        peer.send(b"X-More: " + b"v" * 1000 + b"\r\n")


@entry("head-endless-field", "sends one header field for ever", REFUSED)
def _(peer):
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nX-More: ")
    while not peer.player.stopping.is_set():
        peer.send(b"v" * 1000)


@entry("head-many-fields", "sends 20 000 short header fields", REFUSED)
def _(peer):
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\n" + b"A:\r\n" * 20_000 + b"Content-Length: 0\r\n\r\n")


@entry("head-other-case", "writes names in another case", OK)
def _(peer):
    peer.request()
    peer.send(b"HTTP/1.1 200 ok\r\ncOnTeNt-LeNgTh:%d\r\nCONNECTION:close\r\n\r\n" % len(peer.image) + peer.image)


@entry("head-bare-line-feeds", "ends lines with LF only", OK)
def _(peer):
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\nContent-Length: %d\n\n" % len(peer.image) + peer.image)


@entry("head-no-reason", "leaves the reason out", OK)
def _(peer):
    peer.request()
    peer.send(b"HTTP/1.1 200\r\nContent-Length: %d\r\n\r\n" % len(peer.image) + peer.image)


for name, does, line in (
        ("head-zero-byte", "sends a zero byte in a header field", b"X-Zero: a\0b"),
        ("head-space-before-colon", "sends a space before a colon", b"Transfer-Encoding : chunked"),
        ("head-no-colon", "sends a header line without a colon", b"this is no header"),
):
    @entry(name, does, REFUSED)
    def _(peer, line=line):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n" + line + b"\r\nContent-Length: %d\r\n\r\n" % len(peer.image) + peer.image)


@entry("head-cut", "closes in the middle of a header line", REFUSED)
def _(peer):
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Le")


@entry("head-none", "reads the request and closes", REFUSED)
def _(peer):
    peer.request()


misbehaviour.group[0] = "Pace"


@entry("head-byte-by-byte", "sends the head byte by byte", OK)
def _(peer):
    peer.request()
    peer.send_each(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-A: b\r\n\r\n" % len(peer.image))
    peer.send(peer.image)


@entry("body-byte-by-byte", "sends the first 4 KiB of the body byte by byte, each in its own TLS record", OK)
def _(peer):
    peer.request()
    peer.head(length=len(peer.image))
    peer.send_each(peer.image[:4096])
    peer.send(peer.image[4096:])


@entry("chunk-byte-by-byte", "sends chunks of one byte for the first 2 KiB", OK)
def _(peer):
    peer.request()
    peer.head("200 OK", "Transfer-Encoding: chunked")
    peer.chunks(peer.image[:2048], 1)
    peer.chunks(peer.image[2048:])
    peer.send(b"0\r\n\r\n")


@entry("head-drips", "sends a byte of the head every half second", SILENT)
def _(peer):
    peer.request()
    peer.send_each(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", pause_s=0.5)


@entry("body-drips", "sends a byte of the body every 0.6 seconds, well within each wait", STALLED, limit_s=STALL_S)
def _(peer):
    peer.request()
    peer.head(length=len(peer.image))
    peer.send(peer.image[:5000])
    peer.send_each(peer.image[5000:], pause_s=0.6)


@entry("body-drips-slower", "sends a byte of the body every 1.5 seconds, longer than a wait", STALLED, limit_s=STALL_S)
def _(peer):
    peer.request()
    peer.head(length=len(peer.image))
    peer.send(peer.image[:5000])
    peer.send_each(peer.image[5000:], pause_s=1.5)


@entry("chunk-size-drips", "sends a chunk size of endless zeros, a digit every 0.6 seconds", STALLED, limit_s=STALL_S)
def _(peer):
    peer.request()
    peer.head("200 OK", "Transfer-Encoding: chunked")
    peer.chunks(peer.image[:10_000])
    peer.send_each(b"0" * 100, pause_s=0.6)


@entry("first-bytes-drip", "sends a byte of the image's header every 0.6 seconds", LOST, limit_s=STALL_S)
def _(peer):
    peer.request()
    peer.head(length=len(peer.image))
    peer.send_each(peer.image, pause_s=0.6)


@entry("silence-after-request", "reads the request and says nothing", SILENT)
def _(peer):
    peer.request()
    peer.hold()


@entry("silence-in-body", "falls silent in the middle of the body", STALLED, limit_s=STALL_S)
def _(peer):
    peer.request()
    peer.head(length=len(peer.image))
    peer.send(peer.image[:9000])
    peer.hold()


@entry("pauses", "pauses for more than a wait in the middle of the body, then goes on", OK, limit_s=10)
def _(peer):
    peer.request()
    peer.head(length=len(peer.image))
    peer.send(peer.image[:9000])
    peer.player.stopping.wait(1.6)
    peer.send(peer.image[9000:])
