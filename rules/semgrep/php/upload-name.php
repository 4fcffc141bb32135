<?php
// ruleid: php-upload-name
move_uploaded_file($_FILES['photo']['tmp_name'], '/srv/www/uploads/' . $_FILES['photo']['name']);
$target = 'uploads/' . basename($_FILES['file']['name']);
// ruleid: php-upload-name
move_uploaded_file($_FILES['file']['tmp_name'], $target);
$named = bin2hex(random_bytes(16)) . '.jpg';
// ok: php-upload-name
move_uploaded_file($_FILES['photo']['tmp_name'], '/srv/uploads/' . $named);
// ok: php-upload-name
move_uploaded_file($_FILES['photo']['tmp_name'], '/srv/uploads/' . md5($_FILES['photo']['name']));
