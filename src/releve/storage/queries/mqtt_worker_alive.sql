INSERT INTO mqtt_worker (id, seen) VALUES (%(worker)s, now()) ON CONFLICT (id) DO UPDATE SET seen = excluded.seen
