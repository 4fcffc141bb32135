#include "peer.h"

#include <string.h>

void peer_init(struct peer *peer, int socket)
{
    peer->socket = socket;
    peer->name[0] = 0;
}

void peer_rename(struct peer *peer, const char *name, unsigned length)
{
    memcpy(peer->name, name, length);
    peer->name[length] = 0;
}
