-- In which form a file was read: the one its contract declared then.

alter table landing.file add column form_fingerprint text collate "C";
comment on column landing.file.form_fingerprint is
'The declared form (fileForms) in which the file was read; null: read before it was noted, taken for the one declared now.';
