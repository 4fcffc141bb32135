<?php
$host = $_GET['host'];
// ruleid: php-command-injection
system("ping -c 1 " . $host);
// ruleid: php-command-injection
$out = shell_exec("convert {$_FILES['image']['name']} out.png");
// ok: php-command-injection
system("ping -c 1 " . escapeshellarg($host));
// ok: php-command-injection
proc_open(['ping', '-c', '1', $host], [], $pipes);
// ok: php-command-injection
exec('uptime', $lines);
