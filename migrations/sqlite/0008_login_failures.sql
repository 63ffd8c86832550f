CREATE TABLE `auth_login_failures` (
	`user_pk` text PRIMARY KEY NOT NULL,
	`failures` integer NOT NULL,
	`locked_at` integer,
	FOREIGN KEY (`user_pk`) REFERENCES `users`(`pk`) ON UPDATE no action ON DELETE cascade
);
