"""The district's unified identity: logins over OpenID Connect; what an identity provider means by whom."""
