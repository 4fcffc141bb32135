#include "peer.h"

void peer_init(struct peer *peer, int socket)
{
    peer->socket = socket;
}
