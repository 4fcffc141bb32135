#ifndef PEER_H
#define PEER_H

struct peer {
    int socket;
    char name[32];
};

void peer_rename(struct peer *peer, const char *name, unsigned length);

#endif
