# SPDX-License-Identifier: ISC
"""
A certificate authority of one test run and certificates of it, made with the openssl command. Bad
ones (expired, for another host, of another authority) are made when a test asks for them.
"""
import ssl
import subprocess

CONFIG = """
[ca]
default_ca = test
[test]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
[req]
distinguished_name = name
[name]
"""
HERE = "DNS:localhost, IP:127.0.0.1, IP:::1"
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """Keeps its files in a folder of its own; `certificate` is what clients have to trust."""

    def __init__(self, folder, name="aicaller tests"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate, self.key = folder / "ca.pem", folder / "ca.key"
        (folder / "index.txt").write_text("", encoding="ascii")
        (folder / "serial").write_text("01\n", encoding="ascii")
        self._configure(HERE)
        self._openssl("req", "-x509", *NEW_KEY, "-keyout", self.key, "-out", self.certificate,
                      "-subj", f"/CN={name}", "-days", "2", "-extensions", "authority")

    def _configure(self, names):
        text = CONFIG.format(folder=self.folder, names=names)
        (self.folder / "openssl.conf").write_text(text, encoding="utf-8")

    def _openssl(self, command, *arguments):
        made = subprocess.run(["openssl", command, "-config", self.folder / "openssl.conf",
                               *map(str, arguments)], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise RuntimeError(f"openssl {command} failed: {made.stderr.strip()}")

    def issue(self, name, names=HERE, expired=False):
        """A server's context with a fresh certificate for these names."""
        self._configure(names)
        request, key, certificate = (self.folder / f"{name}.{end}" for end in ("csr", "key", "pem"))
        self._openssl("req", "-new", *NEW_KEY, "-keyout", key, "-out", request,
                      "-subj", f"/CN={name}")
        when = (("-startdate", "200101000000Z", "-enddate", "200102000000Z") if expired
                else ("-days", "2"))
        self._openssl("ca", "-batch", "-notext", "-in", request, "-out", certificate, "-cert",
                      self.certificate, "-keyfile", self.key, "-extensions", "server", *when)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # The threaded client of the library websockets takes a ticket for data, reads, and hangs.
        context.num_tickets = 0
        context.load_cert_chain(certificate, key)
        return context


class Certificates:
    """TLS contexts by the kind of port."""

    def __init__(self, folder):
        self.folder = folder
        self.authority = Authority(folder)
        self.contexts = {}

    def context(self, kind):
        if kind not in self.contexts:
            self.contexts[kind] = self._make(kind)
        return self.contexts[kind]

    def _make(self, kind):
        if kind == "tls":
            return self.authority.issue("localhost")
        if kind == "tls-expired":
            return self.authority.issue("expired", expired=True)
        if kind == "tls-wrong-host":
            return self.authority.issue("elsewhere", names="DNS:elsewhere.example")
        return Authority(self.folder / "stranger", "unknown to all").issue("localhost")
