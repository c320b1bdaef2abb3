"""Certificates that a test makes: an authority, and certificates that it signs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.main import now

LIFE = timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """The files of a certificate and its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """An authority with its own certificate in a folder."""

    folder: Path
    name: x509.Name
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate(self) -> Path:
        """The file for `sslrootcert`."""
        return self.folder / "authority.crt"

    def sign(self, name: str, *hosts: str, age: timedelta = timedelta(0)) -> Pair:
        """Make a key and a certificate of this name, for these hosts; one older than `LIFE` has ended."""
        key = ec.generate_private_key(ec.SECP256R1())
        begin = _builder(_named(name), self.name, key, now() - age)
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        signed = begin.add_extension(names, critical=False) if hosts else begin
        pair = Pair(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        _write(pair, signed.sign(self.key, hashes.SHA256()), key)
        return pair

    def revoke(self, *pairs: Pair) -> Path:
        """Return the file of a list of revocations with these certificates, for `sslcrl`."""
        at = now()
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name)
        builder = builder.last_update(at - LIFE).next_update(at + LIFE)
        for pair in pairs:
            number = x509.load_pem_x509_certificate(pair.certificate.read_bytes()).serial_number
            revoked = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(at)
            builder = builder.add_revoked_certificate(revoked.build())
        file = self.folder / "revoked.crl"
        made = builder.sign(self.key, hashes.SHA256())
        file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        return file


def new_authority(folder: Path) -> Authority:
    """Make an authority and its certificate in a folder."""
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = _named("authority")
    use = x509.KeyUsage(
        **dict.fromkeys(("digital_signature", "key_cert_sign", "crl_sign"), True),
        **dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment"), False),
        **dict.fromkeys(("key_agreement", "encipher_only", "decipher_only"), False),
    )
    builder = _builder(name, name, key, now()).add_extension(use, critical=True)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    made = Authority(folder, name, key)
    _write(
        Pair(made.certificate, folder / "authority.key"), builder.sign(key, hashes.SHA256()), key
    )
    return made


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, at: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    return builder.not_valid_before(at - LIFE).not_valid_after(at + LIFE)


def _write(pair: Pair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    pem = serialization.Encoding.PEM
    pair.certificate.write_bytes(certificate.public_bytes(pem))
    form = serialization.PrivateFormat.PKCS8
    pair.key.write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
