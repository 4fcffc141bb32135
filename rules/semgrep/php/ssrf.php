<?php
// ruleid: php-ssrf
$curl = curl_init($_GET['url']);
$hook = trim($_POST['webhook']);
// ruleid: php-ssrf
curl_setopt($curl, CURLOPT_URL, $hook);
// ok: php-ssrf
curl_setopt($curl, CURLOPT_URL, 'https://search.internal/?q=' . urlencode($_GET['q']));
// ok: php-ssrf
curl_setopt($curl, CURLOPT_POSTFIELDS, $_POST['body']);
