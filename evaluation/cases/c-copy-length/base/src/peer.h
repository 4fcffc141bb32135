#ifndef PEER_H
#define PEER_H

struct peer {
    int socket;
};

#endif
