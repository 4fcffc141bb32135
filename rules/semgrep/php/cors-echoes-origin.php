<?php
// ruleid: php-cors-echoes-origin
header('Access-Control-Allow-Origin: ' . $_SERVER['HTTP_ORIGIN']);
// ruleid: php-cors-echoes-origin
header("Access-Control-Allow-Origin: {$_SERVER['HTTP_ORIGIN']}");
if (in_array($_SERVER['HTTP_ORIGIN'], ['https://app.internal'], true)) {
    // ok: php-cors-echoes-origin
    header('Access-Control-Allow-Origin: ' . $_SERVER['HTTP_ORIGIN']);
}
// ok: php-cors-echoes-origin
header('Access-Control-Allow-Origin: https://app.internal');
