"""A DDI server for end-to-end tests: answers as hawkBit does, strict about what it is sent, and keeps a log of all of it."""
# SPDX-License-Identifier: Apache-2.0

import hashlib
import http.server
import json
import re
import threading

import servers

EXECUTIONS = ("proceeding", "canceled", "scheduled", "rejected", "resumed", "downloaded", "closed", "download")


class DdiServer:
    """Devices of one tenant. `actions`: {device: [action]}; an action is a dict with id, file, status and more."""

    def __init__(self, cert=None, token="secret", sleep="00:00:10", client_ca=None):
        self.token, self.sleep = token, sleep
        self.actions, self.attributes, self.log, self.complaints = {}, {}, [], []
        self.lose = lambda method, path, body: False  # True: it is done, and its answer is lost
        self.status = lambda method, path: None  # an answer of the test's own
        self.lock = threading.Lock()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_any(self):
                owner.handle(self)

            do_GET = do_POST = do_PUT = handle_any

        self.httpd = servers.QuietServer(("127.0.0.1", 0), Handler)
        self.httpd.context = servers.server_context(cert, client_ca=client_ca) if cert is not None else None
        self.scheme = "http" if cert is None else "https"
        self.url = f"{self.scheme}://127.0.0.1:{self.httpd.server_port}"
        self.thread = threading.Thread(target=self.httpd.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.httpd.shutdown()
        self.httpd.server_close()
        self.thread.join(10)

    def assign(self, device, ident, file, **more):
        action = {"id": ident, "file": file, "status": "running", "update": "forced", "download": "forced", "feedback": [],
                  "downloads": [], "part": "os", "data": {}, **more}
        self.actions.setdefault(device, []).append(action)
        return action

    def active(self, device):
        return next((a for a in self.actions.get(device, []) if a["status"] in ("running", "canceling")), None)

    # ---- requests ----

    def handle(self, request):
        size = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(size) if size else b""
        with self.lock:
            status, answer, headers = self.answer(request, body)
        self.log.append(f"{request.command} {request.path} {body.decode()} {status}")
        if self.lose(request.command, request.path, body.decode()):
            request.close_connection = True
            return
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)

    def answer(self, request, body):
        own = self.status(request.command, request.path)
        if own is not None:
            return own[0], own[1], {}
        # Without a token it is the client's certificate that says who asks, as nginx in front of hawkBit checks it.
        if self.token is None:
            names = dict(part[0] for part in request.connection.getpeercert()["subject"])
            if request.path.split("/")[4] != names["commonName"]:
                return 401, b"", {}
        elif request.headers.get("Authorization") != f"TargetToken {self.token}":
            return 401, b"", {}
        match = re.fullmatch(r"/DEFAULT/controller/v1/([^/]+)(/[^?]*)?(\?.*)?", request.path)
        if not match:
            return self.complain(404, f"no path: {request.path}")
        device, path = match[1], match[2] or ""
        if request.command == "GET":
            return self.get(request, device, path)
        if request.headers.get("Content-Type") != "application/json":
            return self.complain(415, "no JSON")
        try:
            return self.take(request.command, device, path, json.loads(body))
        except (ValueError, KeyError, TypeError, AssertionError) as error:
            return self.complain(400, f"{path}: {error!r} in {body!r}")

    def complain(self, status, why):
        self.complaints.append(why)
        return status, b"", {}

    def get(self, request, device, path):
        base = f"{self.url}/DEFAULT/controller/v1/{device}"
        action = self.active(device)
        if path == "":
            links = {} if device in self.attributes else {"configData": {"href": f"{base}/configData"}}
            if action is not None:
                kind = "cancelAction" if action["status"] == "canceling" else "deploymentBase"
                links[kind] = {"href": f"{base}/{kind}/{action['id']}" + ("?c=1" if kind == "deploymentBase" else "")}
            answer = {"config": {"polling": {"sleep": self.sleep}}, **({"_links": links} if links else {})}
            return 200, json.dumps(answer).encode(), {}
        kind, _, rest = path[1:].partition("/")
        if kind == "file":
            ident, _, part = rest.partition("/")
            return self.file(request, next(a for a in self.actions[device] if a["id"] == ident), part)
        if action is None or rest != action["id"]:
            return 404, b"", {}
        if kind == "cancelAction" and action["status"] == "canceling":
            return 200, json.dumps({"id": rest, "cancelAction": {"stopId": rest}}).encode(), {}
        if kind != "deploymentBase" or action["status"] != "running":
            return 404, b"", {}
        link = action.get("link", f"{base}/file/{rest}")
        artifact = {**self.artifact("app.bin", action["file"], link), "size": action.get("size", len(action["file"]))}
        artifact["hashes"].update({"sha256": action["sha256"]} if "sha256" in action else {})
        chunk = {"part": action["part"], "version": "2.0", "name": "app",
                 "artifacts": [*action.get("files_before", ()), artifact]}
        data = [{"artifacts": [self.artifact(part, file, f"{base}/file/{rest}/{part}")], "version": "7", "part": part}
                for part, file in action["data"].items()]
        return 200, json.dumps({"id": rest, "deployment": {
            "download": action["download"], "update": action["update"],
            "chunks": [*action.get("chunks_before", ()), chunk, *data]}}).encode(), {}

    @staticmethod
    def artifact(name, file, link):
        hashes = {kind: hashlib.new(kind, file).hexdigest() for kind in ("sha1", "md5", "sha256")}
        return {"filename": name, "size": len(file), "hashes": hashes,
                "_links": {"download-http": {"href": link}, "md5sum-http": {"href": link + ".MD5SUM"}}}

    @staticmethod
    def file(request, action, part=""):
        """The image, or what is for another part."""
        file = action["data"][part] if part else action["file"]
        tag = '"%s"' % hashlib.sha1(file).hexdigest()
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        action["downloads"].append(part or request.headers.get("Range"))
        headers = {"ETag": tag, "Accept-Ranges": "bytes"}
        if wanted and request.headers.get("If-Range") == tag and int(wanted[1]) < len(file):
            start = int(wanted[1])
            return 206, file[start:], {**headers, "Content-Range": f"bytes {start}-{len(file) - 1}/{len(file)}"}
        return 200, file, headers

    def take(self, method, device, path, body):
        if path == "/configData":
            assert method == "PUT" and body["mode"] == "merge" and body["data"]
            assert all(isinstance(v, str) and len(v) <= 128 for v in body["data"].values())
            self.attributes.setdefault(device, {}).update(body["data"])
            return 200, b"", {}
        kind, ident = re.fullmatch(r"/(deploymentBase|cancelAction)/([^/]+)/feedback", path).groups()
        status = body["status"]
        execution, finished = status["execution"], status["result"]["finished"]
        assert method == "POST" and execution in EXECUTIONS and finished in ("success", "failure", "none")
        assert isinstance(status["details"], list) and len(status["details"]) <= 50
        action = next((a for a in self.actions.get(device, []) if a["id"] == ident), None)
        if action is None:
            return 404, b"", {}
        if kind == "cancelAction":
            assert action["status"] in ("canceling", "canceled")
            action["status"] = "canceled" if execution == "closed" and finished == "success" else "running"
            return 200, b"", {}
        if action["status"] not in ("running", "canceling"):
            return 410, b"", {}
        action["feedback"].append((execution, finished, status["details"][0]))
        if execution == "closed":
            action["status"] = "error" if finished == "failure" else "finished"
            action["code"] = status.get("code")
        return 200, b"", {}
