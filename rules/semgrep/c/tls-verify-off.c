#include <curl/curl.h>

void prepare(CURL *curl) {
    // ruleid: c-tls-verify-off
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    // ruleid: c-tls-verify-off
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0);
    // ok: c-tls-verify-off
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    // ok: c-tls-verify-off
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 0L);
}
