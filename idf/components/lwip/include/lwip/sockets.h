/* lwip's BSD sockets are this machine's: its headers, and lwip_NAME() for each call. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lwip/err.h"
#include "lwip/inet.h"

#define lwip_accept      accept
#define lwip_bind        bind
#define lwip_shutdown    shutdown
#define lwip_getpeername getpeername
#define lwip_getsockname getsockname
#define lwip_getsockopt  getsockopt
#define lwip_setsockopt  setsockopt
#define lwip_close       close
#define lwip_connect     connect
#define lwip_listen      listen
#define lwip_recv        recv
#define lwip_read        read
#define lwip_readv       readv
#define lwip_recvfrom    recvfrom
#define lwip_recvmsg     recvmsg
#define lwip_send        send
#define lwip_sendmsg     sendmsg
#define lwip_sendto      sendto
#define lwip_socket      socket
#define lwip_write       write
#define lwip_writev      writev
#define lwip_select      select
#define lwip_poll        poll
#define lwip_ioctl       ioctl
#define lwip_fcntl       fcntl
#define lwip_inet_ntop   inet_ntop
#define lwip_inet_pton   inet_pton

#define closesocket close
#define ioctlsocket ioctl
