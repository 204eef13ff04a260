"""What the catalogue's servers show: one CA, and a TLS context of each kind, good and bad."""
# SPDX-License-Identifier: Apache-2.0

import functools
import pathlib
import ssl
import threading
import warnings

import servers


class Certs:
    """One CA and what servers of each kind show; made when first wanted."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ca = servers.make_ca(self.folder)
        self.lock = threading.Lock()
        self.contexts = {}

    def context(self, kind):
        with self.lock:
            if kind not in self.contexts:
                self.contexts[kind] = self.make_context(kind)
            return self.contexts[kind]

    def make(self, name, **how):
        names = how.pop("names", ("localhost", "127.0.0.1", "::1"))
        return servers.make_cert(self.folder, names=names, ca=how.pop("ca", self.ca), name=name, **how)

    def make_context(self, kind):
        certificates = {
            "expired": lambda: self.make("expired", expired=True),
            "not-yet": lambda: self.make("not-yet", not_yet=True),
            "wrong-name": lambda: self.make("wrong-name", names=("update.example.org", "10.1.2.3")),
            "other-ca": lambda: self.make("other", ca=servers.make_ca(self.folder, "other-ca")),
            "self-signed": lambda: servers.make_self_signed(self.folder),
            "rsa-512": lambda: self.make("rsa-512", rsa_bits=512),
            "rsa-1024": lambda: self.make("rsa-1024", rsa_bits=1024),
            "named": lambda: self.make("named", names=("two-addresses.test",)),
            "sha1": lambda: self.make("sha1", digest="sha1"),
        }
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if kind in ("rsa-512", "rsa-1024", "sha1", "tls-1.0", "tls-1.1"):
            context.set_ciphers("ALL:@SECLEVEL=0")  # the server is meant to be weak
        cert = certificates.get(kind, functools.partial(self.make, "good-" + kind))()
        context.load_cert_chain(cert.cert, cert.key)
        limit_versions(context, kind)
        if kind.startswith("client-certificate"):
            context.load_verify_locations(self.ca.cert)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def limit_versions(context, kind):
    version = {"tls-1.0": ssl.TLSVersion.TLSv1, "tls-1.1": ssl.TLSVersion.TLSv1_1, "tls-1.2": ssl.TLSVersion.TLSv1_2,
               "client-certificate-1.2": ssl.TLSVersion.TLSv1_2, "tls-1.3": ssl.TLSVersion.TLSv1_3}.get(kind)
    if version is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that they are old is the point
            context.minimum_version = context.maximum_version = version
