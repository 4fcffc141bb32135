<?php
$name = $_GET['name'];
// ruleid: php-echo-input
echo "<h1>Hello " . $name . "</h1>";
// ruleid: php-echo-input
print("<input value='{$_POST['city']}'>");
// ok: php-echo-input
echo "<h1>Hello " . htmlspecialchars($name, ENT_QUOTES) . "</h1>";
// ok: php-echo-input
echo (int) $_GET['page'];
// ok: php-echo-input
echo isset($_GET['all']) ? 'all' : 'some';
