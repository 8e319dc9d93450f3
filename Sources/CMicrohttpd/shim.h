// What Swift cannot say about libmicrohttpd, and nothing else.
//
// Why it exists: `MHD_start_daemon` and `MHD_get_connection_info` are variadic, which Swift does not import; and
// libmicrohttpd's enums carry the attribute "closed", so a value that a later version adds would be undefined
// behaviour in Swift. Options are therefore fixed here, and enum values leave this header as plain integers.
// Rejected: a C target with its own object file (one more thing to build and to link, for six inline functions).
//
// Bounds: every option that the service uses is one field of `struct cmhd_options`; what is not listed here is not
// used (no post processor, digest, upgrade, suspend, TURBO).

#ifndef MAPWATCH_CMICROHTTPD_SHIM_H
#define MAPWATCH_CMICROHTTPD_SHIM_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

typedef void *(*cmhd_uri_logger)(void *cls, const char *uri, struct MHD_Connection *connection);

struct cmhd_options {
    int listen_fd;                          // bound, listening, non-blocking; MHD_stop_daemon closes it
    unsigned int workers;                   // at least 1
    unsigned int connection_limit;          // divided among the workers
    size_t connection_memory;               // bytes for the head of one connection
    const char *tls_certificate;            // PEM, or NULL for plain HTTP; as the next two
    const char *tls_key;
    const char *tls_priority;
    void *context;                          // handed to each callback as `cls`
    MHD_AccessHandlerCallback access;
    MHD_RequestCompletedCallback completed;
    MHD_NotifyConnectionCallback notify_connection;
    cmhd_uri_logger uri_logger;
};

// epoll, with a pool of internal threads. MHD_USE_ITC, because without it MHD_stop_daemon wakes the threads through the
// listening descriptor, which the server has silenced by then. A pool of 1 is refused by libmicrohttpd, so one worker
// is started without.
// Returns NULL and leaves errno when the daemon cannot start.
static inline struct MHD_Daemon *cmhd_start(const struct cmhd_options *o) {
    struct MHD_OptionItem some[5] = {{MHD_OPTION_END, 0, NULL}};
    int count = 0;
    unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC;
    if (o->workers >= 2) {
        some[count++] = (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)o->workers, NULL};
    }
    if (o->tls_certificate != NULL) {
        flags |= MHD_USE_TLS;
        some[count++] = (struct MHD_OptionItem){
            MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)o->tls_priority};
        some[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->tls_key};
        some[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)o->tls_certificate};
    }
    some[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    return MHD_start_daemon(
        flags, 0, NULL, NULL, o->access, o->context,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)o->listen_fd,
        MHD_OPTION_ARRAY, some,
        MHD_OPTION_CONNECTION_LIMIT, o->connection_limit,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u,  // deadlines are the server's own
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->connection_memory,
        MHD_OPTION_NOTIFY_COMPLETED, o->completed, o->context,
        MHD_OPTION_NOTIFY_CONNECTION, o->notify_connection, o->context,
        MHD_OPTION_URI_LOG_CALLBACK, o->uri_logger, o->context,
        MHD_OPTION_END);
}

// The client's address; NULL when libmicrohttpd does not know it. Valid while the connection lives.
static inline const struct sockaddr *cmhd_client_address(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info == NULL ? NULL : info->client_addr;
}

// The connection's descriptor, or -1.
static inline int cmhd_connection_fd(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : (int)info->connect_fd;
}

// The connection's TLS session (a gnutls_session_t), or NULL. Valid while the connection lives.
static inline void *cmhd_tls_session(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info == NULL ? NULL : (void *)info->tls_session;
}

// What the connection-start callback stored for this connection, or NULL.
static inline void *cmhd_socket_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

// The size of the request's head in bytes, from the method to the empty line; 0 before it is whole.
static inline size_t cmhd_head_size(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info == NULL ? 0 : info->header_size;
}

// The status of the queued response, also of those that libmicrohttpd queues itself; 0 when there is none.
static inline unsigned int cmhd_queued_status(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS);
    return info == NULL ? 0 : info->http_status;
}

// Hides the query from libmicrohttpd, which is about to split it into its connection memory and, from some 450 items
// on, runs out and leaves the client without an answer until the inactivity timeout. To be called in the URI log
// callback, after the target was copied: `target` is the connection's read buffer, which libmicrohttpd itself writes to
// (it decodes in place) and hands over as const only for the callback's sake. It knows by then where the query starts,
// so the query is ended there instead of its mark being taken away.
static inline void cmhd_hide_query(const char *target) {
    char *mark = strchr((char *)(uintptr_t)target, '?');
    if (mark != NULL) mark[1] = 0;  // at least the terminating NUL follows the mark
}

// Calls `each` for every request header in the order of arrival.
static inline void cmhd_each_header(struct MHD_Connection *connection, MHD_KeyValueIteratorN each, void *context) {
    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, each, context);
}

// A response whose body is copied out of `body` before the call returns.
static inline struct MHD_Response *cmhd_response_copying(const void *body, size_t size) {
    return MHD_create_response_from_buffer(size, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
}

static inline int cmhd_add_header(struct MHD_Response *response, const char *name, const char *value) {
    return MHD_add_response_header(response, name, value) == MHD_YES;
}

static inline int cmhd_queue(struct MHD_Connection *connection, unsigned int status, struct MHD_Response *response) {
    return MHD_queue_response(connection, status, response) == MHD_YES;
}

// The state of a TCP connection as the kernel counts them, or -1, and the milliseconds since the last byte came in.
static inline int cmhd_tcp_state(int fd, uint32_t *since_last_byte) {
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return -1;
    *since_last_byte = info.tcpi_last_data_recv;
    return info.tcpi_state;
}
#define CMHD_TCP_CLOSE_WAIT 8  // the peer has closed its side

// Closed enums as plain numbers.
static inline int cmhd_completed_ok(enum MHD_RequestTerminationCode code) {
    return code == MHD_REQUEST_TERMINATED_COMPLETED_OK;
}

static inline int cmhd_is_connection_start(enum MHD_ConnectionNotificationCode code) {
    return code == MHD_CONNECTION_NOTIFY_STARTED;
}

#endif
