<?php
// ruleid: php-unserialize-input
$cart = unserialize($_COOKIE['cart']);
$state = base64_decode($_POST['state']);
// ruleid: php-unserialize-input
$form = unserialize($state);
// ok: php-unserialize-input
$safe = unserialize($_COOKIE['cart'], ['allowed_classes' => false]);
// ok: php-unserialize-input
$json = json_decode($_COOKIE['cart'], true);
// ok: php-unserialize-input
$cached = unserialize(file_get_contents('/srv/cache/settings'));
