<?php
function fetch($curl) {
    // ruleid: php-tls-host-off
    curl_setopt($curl, CURLOPT_SSL_VERIFYHOST, 0);
    curl_setopt_array($curl, [
        // ruleid: php-tls-host-off
        CURLOPT_SSL_VERIFYHOST => false,
    ]);
    // ok: php-tls-host-off
    curl_setopt($curl, CURLOPT_SSL_VERIFYHOST, 2);
    // ok: php-tls-host-off
    curl_setopt($curl, CURLOPT_TIMEOUT, 0);
}
