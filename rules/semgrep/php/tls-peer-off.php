<?php
function fetch($curl, $verify) {
    // ruleid: php-tls-peer-off
    curl_setopt($curl, CURLOPT_SSL_VERIFYPEER, false);
    // ruleid: php-tls-peer-off
    $context = stream_context_create(['ssl' => ['verify_peer' => false]]);
    // ok: php-tls-peer-off
    curl_setopt($curl, CURLOPT_SSL_VERIFYPEER, true);
    // ok: php-tls-peer-off
    curl_setopt($curl, CURLOPT_SSL_VERIFYPEER, $verify);
    // ok: php-tls-peer-off
    $client = new Client(['verify' => '/etc/ssl/certs/internal.pem']);
}
