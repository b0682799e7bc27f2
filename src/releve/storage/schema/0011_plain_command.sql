-- A command may be plain text on a topic of a car (contract B); null is a command as JSON on the device's own topic.
ALTER TABLE device_command ADD COLUMN topic text;
