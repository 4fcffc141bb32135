<?php
$next = $_GET['next'];
// ruleid: php-open-redirect
header('Location: ' . $next);
// ruleid: php-open-redirect
header("Location: " . $_POST['return_to'], true, 303);
// ok: php-open-redirect
header('Location: /search?q=' . urlencode($_GET['q']));
// ok: php-open-redirect
header('Location: /account/' . $_GET['tab']);
// ok: php-open-redirect
header('X-Request: ' . $next);
