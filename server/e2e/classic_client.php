<?php
// A classic client in the way that PHP sites write them: fsockopen, fwrite, fgets. For each line `COUNT REQUEST` of its
// input it sends the request and prints the COUNT lines of the reply; at the end, whatever else the server had to say.
// Usage: php classic_client.php HOST PORT

[, $host, $port] = $argv;
$server = fsockopen($host, (int) $port, $error_code, $error_text, 20);
if ($server === false) {
    fwrite(STDERR, "cannot connect to $host: $error_text ($error_code)\n");
    exit(1);
}
stream_set_timeout($server, 60);

while (($line = fgets(STDIN)) !== false) {
    [$count, $request] = explode(' ', rtrim($line, "\n"), 2);
    fwrite($server, "$request\n");
    for ($i = 0; $i < (int) $count; $i++) {
        echo fgets($server);
    }
}
stream_socket_shutdown($server, STREAM_SHUT_WR);
echo stream_get_contents($server);
