// The few calls of GnuTLS that the server needs, with what Swift cannot say: enums that import closed, and a callback
// from which GnuTLS reads the peer's certificates.
//
// libmicrohttpd owns the sessions; here is what a session is given before its handshake.

#ifndef MAPWATCH_CGNUTLS_SHIM_H
#define MAPWATCH_CGNUTLS_SHIM_H

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stddef.h>

// What is asked of a client; the numbers are those of Swift's `ClientAuthentication`.
enum { CTLS_NO_CERTIFICATE = 0, CTLS_REQUEST = 1, CTLS_REQUIRE = 2 };

// Runs in the handshake: a certificate that the client gave must be good for a client and lead to one of the trusted
// ones. That there is none is for the request mode to refuse.
static int ctls_verify_peer(gnutls_session_t session) {
    unsigned int count = 0, status = 0;
    if (gnutls_certificate_get_peers(session, &count) == NULL || count == 0) return 0;
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (void *)GNUTLS_KP_TLS_WWW_CLIENT, .size = 0};
    int result = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
    return result < 0 || status != 0 ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

// Credentials from PEM; `trust` may be NULL. Returns 0 or GnuTLS's error, and then the file at fault in `culprit`:
// 0 certificate or key, 1 trust.
static inline int ctls_make_credentials(
    gnutls_certificate_credentials_t *made, const void *certificate, size_t certificate_size, const void *key,
    size_t key_size, const void *trust, size_t trust_size, int verifies, int *culprit) {
    *culprit = 0;
    int result = gnutls_certificate_allocate_credentials(made);
    if (result < 0) return result;
    gnutls_datum_t cert = {(unsigned char *)certificate, (unsigned int)certificate_size};
    gnutls_datum_t secret = {(unsigned char *)key, (unsigned int)key_size};
    result = gnutls_certificate_set_x509_key_mem2(*made, &cert, &secret, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (result >= 0 && trust != NULL) {
        *culprit = 1;
        gnutls_datum_t authorities = {(unsigned char *)trust, (unsigned int)trust_size};
        result = gnutls_certificate_set_x509_trust_mem(*made, &authorities, GNUTLS_X509_FMT_PEM);
        if (result == 0) result = GNUTLS_E_NO_CERTIFICATE_FOUND;
    }
    if (result < 0) {
        gnutls_certificate_free_credentials(*made);
        return result;
    }
    if (verifies) gnutls_certificate_set_verify_function(*made, ctls_verify_peer);
    return 0;
}

static inline int ctls_make_priority(gnutls_priority_t *made, const char *text) {
    return gnutls_priority_init(made, text, NULL);
}

// Gives a session, before its handshake, what it is to use. All of it outlives the session.
static inline int ctls_apply(
    void *session, gnutls_certificate_credentials_t credentials, gnutls_priority_t priority, int request) {
    gnutls_session_t tls = (gnutls_session_t)session;
    int result = gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, credentials);
    if (result == 0) result = gnutls_priority_set(tls, priority);
    if (request == CTLS_REQUEST) gnutls_certificate_server_set_request(tls, GNUTLS_CERT_REQUEST);
    if (request == CTLS_REQUIRE) gnutls_certificate_server_set_request(tls, GNUTLS_CERT_REQUIRE);
    return result;
}

// HMAC-SHA-256 into 32 bytes.
static inline int ctls_hmac(const void *key, size_t key_size, const void *text, size_t size, void *digest) {
    return gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, key_size, text, size, digest);
}

// Random bytes that nobody can foresee.
static inline int ctls_random(void *bytes, size_t size) { return gnutls_rnd(GNUTLS_RND_KEY, bytes, size); }

#endif
