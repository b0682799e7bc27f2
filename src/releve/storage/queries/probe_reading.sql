-- Would a reading be taken? It is asked in a transaction that is rolled back; no device has the number 0.
INSERT INTO fresh_reading (device_id, time, id, received, channels) VALUES (0, now(), 0, now(), '{}')
