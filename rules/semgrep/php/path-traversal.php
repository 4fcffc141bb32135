<?php
// ruleid: php-path-traversal
readfile('/srv/reports/' . $_GET['report']);
$name = $_POST['name'];
// ruleid: php-path-traversal
unlink("uploads/$name");
// ok: php-path-traversal
readfile('/srv/reports/' . basename($_GET['report']));
// ok: php-path-traversal
file_put_contents('/srv/log/names', $name, FILE_APPEND);
