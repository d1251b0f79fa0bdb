//! Offhook
