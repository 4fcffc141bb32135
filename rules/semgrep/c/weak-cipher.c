#include <openssl/evp.h>

void prepare(EVP_CIPHER_CTX *context, unsigned char *key, unsigned char *iv) {
    // ruleid: c-weak-cipher
    EVP_EncryptInit_ex(context, EVP_aes_128_ecb(), NULL, key, NULL);
    // ruleid: c-weak-cipher
    EVP_EncryptInit_ex(context, EVP_des_ede3_cbc(), NULL, key, iv);
    // ok: c-weak-cipher
    EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, iv);
    // ok: c-weak-cipher
    EVP_EncryptInit_ex(context, NULL, NULL, key, iv);
}
