"""TLS contexts, from the options of a port or a connection."""

from __future__ import annotations

import ssl

from ..config.schema import Ha, Listen, TServer


def for_port(listen: Listen) -> ssl.SSLContext | None:
    """The context of a port; None where it is not secured.

    Raises:
        OSError: A file cannot be read, or is no certificate or key.
    """
    if not listen.secured:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    assert listen.certificate is not None  # the configuration was checked
    _load(context, listen.certificate, listen)
    if listen.trusted_ca is not None:
        context.load_verify_locations(listen.trusted_ca)
    if listen.tls_mutual:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def for_tserver(tserver: TServer) -> ssl.SSLContext | None:
    """The context to reach a T-Server with; its certificate is always verified."""
    if not tserver.secured:
        return None
    return ssl.create_default_context(cafile=tserver.trusted_ca)


def for_peer(ha: Ha) -> ssl.SSLContext | None:
    """The context to reach the primary of our pair with; None where the port is not secured.

    The chain is always verified against ``trusted-ca``, the name in the certificate only
    with ``tls-target-name-check``: inside a site, certificates often name something else.

    Raises:
        OSError: A file cannot be read, or is no certificate or key.
    """
    if not ha.secured:
        return None
    context = ssl.create_default_context(cafile=ha.trusted_ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = ha.tls_target_name_check
    if ha.certificate is not None:
        _load(context, ha.certificate, ha)
    return context


def _load(context: ssl.SSLContext, certificate: str, options: Listen | Ha) -> None:
    """Our certificate and key. Without a password nobody is asked for one at a terminal."""
    password = options.certificate_key_password
    text = "" if password is None else password.reveal()
    context.load_cert_chain(certificate, options.certificate_key, text)
