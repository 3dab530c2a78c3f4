// Keeps a job's ports inside one network.
//
// Open MPI's mpirun, its daemons and ranks of several hosts listen on every interface, whatever
// network they are told to use. The `bind` below stands in for libc's. lathe has it linked in;
// mpirun and the daemons get it from launch/local and launch/cluster, as a shared library in
// LD_PRELOAD. With LATHE_LISTEN=10.0.0.0/24 a stream socket for every interface is bound to this
// host's address in that network. One of the other IP version is bound to the loopback.
//
// Goals, in order:
// 1. No socket is open to more than LATHE_LISTEN says: a value that cannot be followed fails.
// 2. Without LATHE_LISTEN, and for every other socket, bind does what it always does.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CListen.h"

// An IPv4 or IPv6 network; `bytes` are in network order.
typedef struct {
  int family;
  int bits;
  unsigned char bytes[16];
} Network;

// A place for a socket address of either family.
typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} Address;

// Reads "10.0.0.0/24" or "fd00::/8".
static bool parse(const char *text, Network *network) {
  char host[INET6_ADDRSTRLEN] = "";
  char rest;
  if (sscanf(text, "%45[0-9a-fA-F.:]/%3d%c", host, &network->bits, &rest) != 2) return false;
  network->family = strchr(host, ':') ? AF_INET6 : AF_INET;
  const int most = network->family == AF_INET ? 32 : 128;
  return network->bits >= 0 && network->bits <= most
    && inet_pton(network->family, host, network->bytes) == 1;
}

// The bytes of the IP address in a socket address.
static unsigned char *ip(Address *address) {
  return address->any.sa_family == AF_INET ? (unsigned char *)&address->v4.sin_addr
                                           : (unsigned char *)&address->v6.sin6_addr;
}

static bool contains(const Network *network, const unsigned char *bytes) {
  const int whole = network->bits / 8, left = network->bits % 8;
  return memcmp(network->bytes, bytes, whole) == 0
    && (left == 0 || ((network->bytes[whole] ^ bytes[whole]) >> (8 - left)) == 0);
}

// Puts this host's first IP address in the network into `address`; false if there is none.
static bool find(const Network *network, Address *address) {
  struct ifaddrs *all;
  if (getifaddrs(&all) != 0) return false;
  const size_t size = network->family == AF_INET ? 4 : 16;
  bool found = false;
  for (struct ifaddrs *next = all; next && !found; next = next->ifa_next) {
    if (!next->ifa_addr || next->ifa_addr->sa_family != network->family) continue;
    Address *candidate = (Address *)next->ifa_addr;
    if (!contains(network, ip(candidate))) continue;
    memcpy(ip(address), ip(candidate), size);
    if (network->family == AF_INET6) address->v6.sin6_scope_id = candidate->v6.sin6_scope_id;
    found = true;
  }
  freeifaddrs(all);
  return found;
}

// Whether the address is that of every interface.
static bool isWildcard(const struct sockaddr *address, socklen_t length) {
  static const unsigned char zeros[16];
  if (!address || length < sizeof(struct sockaddr_in)) return false;
  if (address->sa_family == AF_INET) return memcmp(ip((Address *)address), zeros, 4) == 0;
  return address->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)
    && memcmp(ip((Address *)address), zeros, 16) == 0;
}

static bool isStream(int socket) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

// Replaces the wildcard in `address` by this host's address in the network; false if it cannot.
static bool narrow(const char *text, Address *address) {
  Network network;
  const int family = address->any.sa_family;
  if (!parse(text, &network)) {
    fprintf(stderr, "lathe: LATHE_LISTEN: expected a network, as 10.0.0.0/24, found '%s'\n", text);
    return false;
  }
  if (network.family != family) {
    return parse(family == AF_INET ? "127.0.0.1/32" : "::1/128", &network)
      && find(&network, address);
  }
  if (find(&network, address)) return true;
  fprintf(stderr, "lathe: LATHE_LISTEN: this host has no address in %s\n", text);
  return false;
}

// Binds a socket as bind(2) does, one for every interface as LATHE_LISTEN says.
int bind(int socket, const struct sockaddr *address, socklen_t length) {
  const char *text = getenv("LATHE_LISTEN");
  if (text && *text && isWildcard(address, length) && isStream(socket)) {
    Address narrowed = {0};
    memcpy(&narrowed, address, length < sizeof narrowed ? length : sizeof narrowed);
    if (narrow(text, &narrowed)) return (int)syscall(SYS_bind, socket, &narrowed, length);
    errno = EADDRNOTAVAIL;
    return -1;
  }
  return (int)syscall(SYS_bind, socket, address, length);
}

// Takes this library off the list of what children preload, if it is named from the working folder,
// where they may not be.
static void keepFromChildren(void) {
  static const char name[] = "./liblathe-listen.so";
  const char *list = getenv("LD_PRELOAD");
  if (!list || strncmp(list, name, sizeof name - 1) != 0) return;
  const char *rest = strpbrk(list, ": ");
  if (rest) setenv("LD_PRELOAD", rest + 1, 1);
  else unsetenv("LD_PRELOAD");
}

// Open MPI 5's mpirun and daemons listen for processes of their own host at the address of the
// first interface that is not the loopback, and pass it on: PMIx is told to take the loopback.
static void keepPMIxOnTheLoopback(void) {
  const char *text = getenv("LATHE_LISTEN"), *name = program_invocation_short_name;
  if (text && *text && (strcmp(name, "prterun") == 0 || strcmp(name, "prted") == 0))
    setenv("PMIX_MCA_ptl_base_if_include", "127.0.0.0/8", 0);
}

__attribute__((constructor)) static void prepare(void) {
  keepFromChildren();
  keepPMIxOnTheLoopback();
}
