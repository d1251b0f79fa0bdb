//! Pages over HTTP: charged to the reserve for bursts from before they are read until they are with the kernel.

use super::problem::{Problem, answer_of, json_of};
use crate::overload::{Purpose, Rung, Taken, Weight, memory};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body::{Frame, SizeHint};
use http_body_util::Full;
use serde::Serialize;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What a row is taken to need until it is known.
const ROW_BYTES: usize = 2 * 1024;
const PAGE_BYTES: usize = 16 * 1024;

/// Room for one page of so many rows.
#[derive(Debug)]
pub struct Room(Taken);

impl Room {
    /// # Errors
    /// `busy`: memory is short. Nothing was read.
    pub fn for_rows(rows: usize) -> Result<Self, Problem> {
        memory().admit(Rung::History)?;
        Ok(Self(memory().reserve.guard(Purpose::Pages, Weight::Ordinary, PAGE_BYTES + rows * ROW_BYTES)?))
    }

    /// 200 with JSON.
    ///
    /// # Errors
    /// `busy` when it came to more than there is room for.
    pub fn ok(mut self, page: &impl Serialize) -> Result<Response, Problem> {
        let bytes = json_of(page);
        self.0.resize_to(bytes.len())?;
        Ok(answer_of(StatusCode::OK, Body::new(Charged { bytes: Full::from(bytes), _room: self })))
    }

    /// 200 with CSV, to be kept in a file.
    ///
    /// # Errors
    /// `busy` when it came to more than there is room for.
    pub fn csv(mut self, text: String, next: Option<&str>) -> Result<Response, Problem> {
        self.0.resize_to(text.len())?;
        let mut response = Response::new(Body::new(Charged { bytes: Full::from(text), _room: self }));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"report.csv\""));
        if let Some(next) = next.and_then(|next| HeaderValue::from_str(next).ok()) {
            headers.insert(NEXT, next);
        }
        Ok(response)
    }
}

/// Where the next page of CSV begins: its rows have no place for it.
const NEXT: &str = "x-offhook-next";

/// A body that is charged until it is gone.
struct Charged {
    bytes: Full<Bytes>,
    _room: Room,
}

impl http_body::Body for Charged {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.bytes).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.bytes.size_hint()
    }
}
