// SPDX-License-Identifier: MIT
package org.kohsuke.stapler;

import java.net.URL;

public class HttpResponses {
    public HttpResponses() {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException ok() {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException notFound() {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException forbidden() {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException status(int value) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException error(int value, String text) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException error(Throwable throwable) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException error(int value, Throwable throwable) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException errorWithoutStack(int value, String text) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException wrap(HttpResponse httpResponse) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException redirectViaContextPath(String text) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException redirectViaContextPath(int value, String text) {
        throw new UnsupportedOperationException();
    }

    public static HttpRedirect redirectTo(String text) {
        throw new UnsupportedOperationException();
    }

    public static HttpRedirect redirectTo(int value, String text) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponse redirectToDot() {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException redirectToContextRoot() {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException forwardToPreviousPage() {
        throw new UnsupportedOperationException();
    }

    public static HttpResponse staticResource(URL uRL) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponse staticResource(URL uRL, long value) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponse html(String text) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponse literalHtml(String text) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponse plainText(String text) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponse text(String text) {
        throw new UnsupportedOperationException();
    }

    public static ForwardToView forwardToView(Object object, String text) {
        throw new UnsupportedOperationException();
    }

    public static ForwardToView forwardToView(Class type, String text) {
        throw new UnsupportedOperationException();
    }

    public static abstract class HttpResponseException extends RuntimeException implements HttpResponse {
        HttpResponseException() {
            throw new UnsupportedOperationException();
        }
    }
}
