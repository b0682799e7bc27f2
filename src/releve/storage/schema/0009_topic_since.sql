-- Since when a topic has had its value: a car may repeat a word every second. Null in rows of before, until they change.
ALTER TABLE topic_value ADD COLUMN since timestamptz;
